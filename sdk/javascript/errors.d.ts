// Types of errors.js: what can go wrong between a plugin and the database, one class for each of the contract's cases.

/**
 * Whatever the database, the host or this library answers in place of rows. `message` is one sentence for a person. One that
 * nobody catches becomes a `Failure` with that sentence.
 */
export class DatabaseError extends Error {
  constructor(message: string);
  /** Somebody else's work was in the way: the transaction is gone and may be run again from its start, as `attempts` does. */
  readonly isConflict: boolean;
  /** The answer had more rows or bytes than the plugin's limit; a cursor reads it. */
  readonly isTooLarge: boolean;
  /** A commit was under way when the connection broke: nobody knows whether it happened. Look before doing the work again. */
  readonly isOutcomeUnknown: boolean;
  /** A row that is referred to is missing, or one that is still referred to would go. */
  readonly isForeignKeyViolation: boolean;
  /**
   * The five characters of a statement's SQLSTATE; undefined on SQLite, and for constraints, conflicts and timeouts, which are
   * classes of their own.
   */
  readonly sqlstate: string | undefined;

  /**
   * Whether the unique constraint of that name, or of those columns in any order, would have been broken: PostgreSQL tells the
   * name, SQLite the columns.
   */
  isUniqueViolation(name: string, columns: readonly string[]): boolean;
}

/** What an error is made of, as the contract has it: for stand-ins in tests. */
type Told<E, Fields extends keyof E> = { message: string } & Pick<E, Fields>;

/** The grant does not allow it; the message has the lines to add to host.toml. */
export class DeniedError extends DatabaseError {}

/** The host, or this library, refused it before the database saw it: the plugin is to be mended. */
export class InvalidError extends DatabaseError {}

/** No connection became free in time, or none was free at once for a chain that holds one. All counts are of connections. */
export class PoolExhaustedError extends DatabaseError {
  constructor(error: Told<PoolExhaustedError, "waited" | "size" | "overflow" | "checkedOut" | "waiting">);
  /** Microseconds. */
  readonly waited: bigint;
  readonly size: number;
  readonly overflow: number;
  readonly checkedOut: number;
  readonly waiting: number;
}

/** The database can't be reached, or the connection broke under the statement. */
export class UnavailableError extends DatabaseError {
  constructor(error: Told<UnavailableError, "reason" | "outcomeUnknown">);
  readonly reason: "unreachable" | "authentication" | "no-database" | "tls" | "not-ready" | "file" | "other";
  readonly outcomeUnknown: boolean;
}

/** The statement's, the transaction's or the call's time was up, and the work was rolled back. */
export class TimeoutError extends DatabaseError {
  constructor(error: Told<TimeoutError, "kind" | "limit">);
  readonly kind: "statement" | "transaction" | "call";
  /** Microseconds. */
  readonly limit: bigint;
}

/** A rule of the table would have been broken. */
export class ConstraintError extends DatabaseError {
  constructor(error: Told<ConstraintError, "kind" | "table" | "columns"> & { name: string });
  readonly kind: "unique" | "foreign-key" | "not-null" | "check" | "exclusion";
  /** Its name, or the expression of an SQLite check that has none; empty where the database does not tell. */
  readonly constraint: string;
  /** Empty where the database does not tell. */
  readonly table: string;
  /** Those of `table`; empty where the database does not tell. */
  readonly columns: readonly string[];
}

/** Somebody else's work was in the way. The transaction is gone; run it again from its start. */
export class ConflictError extends DatabaseError {
  constructor(error: Told<ConflictError, "kind">);
  readonly kind: "serialization" | "deadlock" | "busy";
}

/** The database refused the statement. The message holds detail and hint as well. */
export class StatementError extends DatabaseError {
  constructor(error: { code: string; message: string; detail?: string; hint?: string; position?: number });
  /** SQLSTATE on PostgreSQL, the extended result code in decimal on SQLite. */
  readonly code: string;
  /** The database's own message, by itself. */
  readonly statementMessage: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** Characters into the SQL text, from 1. */
  readonly position: number | undefined;
}

/** A limit of the plugin's was reached. */
export class LimitError extends DatabaseError {
  constructor(error: Told<LimitError, "kind" | "maximum">);
  readonly kind: "rows" | "bytes" | "connections" | "handles" | "sql-length" | "parameters" | "depth";
  /** In the kind's own unit: rows, bytes, connections, handles, bytes of SQL, parameters, levels. */
  readonly maximum: bigint;
}

/** The session, transaction or cursor has ended: committed, rolled back, closed, or its call is over. */
export class ClosedError extends DatabaseError {}

/** A cell that the class of its kind can't hold, such as a `NaN` in a decimal column; a column that is not there. */
export class DecodeError extends DatabaseError {
  constructor(message: string, column?: string, row?: number);
  readonly column: string | undefined;
  /** From 1, over all batches of a cursor. */
  readonly row: number | undefined;
}

/** There are no rows, or several, where one is needed. */
export class RowCountError extends DatabaseError {
  constructor(count: number);
  readonly count: number;
}
