// Types of session.js and cursor.js: statements, transactions and cursors over the host's one connection pool.

import type { ColumnInfo, Rows } from "./rows.js";
import type { Timestamp } from "./time.js";
import type { Cell, Parameter } from "./values.js";

/**
 * Statements in a session or a transaction. SQL has one statement to a text; placeholders are `$1`, `$2`… on both databases.
 * Every function throws the `DatabaseError` of what went wrong.
 *
 * A stand-in for tests extends this class with `query`, `execute`, `executeMany` and `cursor`, or with those of them that are used.
 */
export abstract class Statements {
  /** All rows. More rows or bytes than the plugin's limit are a `LimitError`, never a part of the rows. */
  abstract query<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Rows<Row>;

  /** Answers the number of rows that were changed. Rows that the statement returns are dropped. */
  abstract execute(sql: string, params?: readonly Parameter[]): number;

  /**
   * Runs one prepared statement once for each row, each an array with a value for each placeholder: all of them or nothing.
   * Answers the sum of the rows changed; 0 where there are no rows, without asking the host. A placeholder's values are
   * null or all of one kind. A failure names its row, of which the first is row 1.
   *
   * ```js
   * tx.executeMany("INSERT INTO fills (symbol, price) VALUES ($1, $2)", fills.map(({ symbol, price }) => [symbol, price]));
   * ```
   */
  abstract executeMany(sql: string, rows: Iterable<readonly Parameter[]>): number;

  /**
   * Opens a cursor over a query that only reads. Outside a transaction it holds a connection of its own until it is closed, taken
   * at once or refused with a `PoolExhaustedError`.
   */
  abstract cursor<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Cursor<Row>;

  /** The only row. @throws {RowCountError} There is none, or more than one. */
  queryOne<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Row;

  /** The only row, if there is one. @throws {RowCountError} There is more than one. */
  queryOptional<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Row | undefined;

  /** The only cell of the only row. @throws {RowCountError} There is no row, or more than one. */
  queryScalar<T = any>(sql: string, params?: readonly Parameter[]): T;

  /** The only cell of the only row, if there is a row. @throws {RowCountError} There is more than one. */
  queryScalarOptional<T = any>(sql: string, params?: readonly Parameter[]): T | undefined;

  /** The cells of the only column. */
  queryScalars<T = any>(sql: string, params?: readonly Parameter[]): T[];

  /**
   * Any number of rows: in one answer where that is within the plugin's limits, through a cursor where it is not. A query that
   * changes rows is not for it, for it may run twice.
   */
  readAll<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Row[];
}

export interface TransactionOptions {
  /** `default` is the database's own; `serializable` is what SQLite always gives. */
  isolation?: "default" | "read-committed" | "repeatable-read" | "serializable";
  /** Writes are refused by the database. */
  readOnly?: boolean;
  /** Milliseconds from begin to commit; past them every statement throws a `TimeoutError`. Default: the call's own deadline. */
  timeout?: number;
}

/**
 * `attempts`: how often the work may be run when conflicts end it; default 1. It is for work that does nothing outside of
 * the transaction, and for the outermost call: inside a caller's transaction only the caller can run it again.
 */
export type WorkOptions = TransactionOptions & { attempts?: number };

/**
 * A way to the database. It holds no connection between statements: each takes one, commits by itself and gives it back.
 */
export class Session extends Statements {
  private constructor();

  /**
   * `shared` works on the call chain's own connection: where a caller has a transaction open, its work joins that. `separate` has
   * one of its own, for what must survive the caller's rollback.
   */
  static open(sharing?: "shared" | "separate"): Session;

  query<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Rows<Row>;
  execute(sql: string, params?: readonly Parameter[]): number;
  executeMany(sql: string, rows: Iterable<readonly Parameter[]>): number;
  cursor<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Cursor<Row>;

  /**
   * Does `work` in a transaction and answers what it returns: committed if it returns, rolled back if it throws. Where the call
   * chain has a transaction open, this is a savepoint in it. `work` is synchronous.
   *
   * @throws What `work` threw, or the `DatabaseError` of the begin or the commit.
   */
  transaction<T>(work: (tx: Transaction) => T): T;
  transaction<T>(options: WorkOptions, work: (tx: Transaction) => T): T;

  /**
   * Begins a transaction that is ended by hand, for work that is no function: `using tx = session.begin()` rolls it back
   * where it was not committed. `transaction` is the better way.
   */
  begin(options?: TransactionOptions): Transaction;

  /** Gives the session up. A transaction that was begun in it goes on. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * An open transaction, or a savepoint in one. On PostgreSQL a statement that fails aborts it: what may fail goes into a savepoint.
 */
export class Transaction extends Statements {
  private constructor();

  query<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Rows<Row>;
  execute(sql: string, params?: readonly Parameter[]): number;
  executeMany(sql: string, rows: Iterable<readonly Parameter[]>): number;
  cursor<Row = Record<string, any>>(sql: string, params?: readonly Parameter[]): Cursor<Row>;

  /** Does `work` in a savepoint: kept if it returns, undone if it throws. While it is open, this transaction is not to be used. */
  savepoint<T>(work: (savepoint: Transaction) => T): T;

  /** Begins a savepoint that is ended by hand. */
  beginSavepoint(): Transaction;

  /**
   * Keeps the work; only for what `begin` or `beginSavepoint` began.
   *
   * @throws {UnavailableError} With `isOutcomeUnknown` nobody knows whether it was committed; on any other error it was rolled back.
   */
  commit(): void;

  /** Undoes the work; only for what `begin` or `beginSavepoint` began. */
  rollback(): void;

  /** Whether a statement of it, or of a savepoint in it, met a conflict. */
  readonly metConflict: boolean;

  /** Rolls back, if it has not ended. */
  [Symbol.dispose](): void;
}

/**
 * An open result that is read batch by batch: row by row with `for`, which closes it at its end, also when the loop is left
 * early. In a transaction it is closed when that ends.
 */
export class Cursor<Row = Record<string, any>> implements Iterable<Row> {
  private constructor();

  /** A cursor over rows that are there already, for tests. */
  static of<Row>(rows: Rows<Row>): Cursor<Row>;

  readonly columns: readonly ColumnInfo[];
  [Symbol.iterator](): IterableIterator<Row>;

  /**
   * The next rows, as many as the host gives at once; undefined at the end.
   *
   * @throws {ClosedError} It was closed before its end: by `close`, by an error, or with its transaction or call.
   */
  nextBatch(): Rows<Row> | undefined;

  /** Cancels the rest. A second time it does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Whether connections can be had.
 */
export type HealthState = "up" | "degraded" | "down";

/**
 * The plugin's way to the database: its shared session, opened when it is used for the first time.
 *
 * ```js
 * const names = database.queryScalars("SELECT name FROM users");
 * database.transaction((tx) => {
 *   tx.execute("UPDATE accounts SET balance = $2 WHERE name = $1", [name, balance]);
 * });
 * ```
 */
export const database: Session & {
  /** `transaction` on a connection of its own, which the caller's rollback does not undo. */
  separate<T>(work: (tx: Transaction) => T): T;
  separate<T>(options: WorkOptions, work: (tx: Transaction) => T): T;

  /** A round trip to the database, made now and bounded to five seconds. */
  health(): {
    state: HealthState;
    since: Timestamp;
    /** `sqlite` or `postgresql`. */
    backend: string;
    version: string;
    /** Microseconds. */
    latency: bigint;
    message: string;
  };

  /** What is known of the pool already. Counts of connections; `quota`, `reserved` and `used` are the plugin's own. */
  stats(): {
    size: number;
    checkedIn: number;
    checkedOut: number;
    overflow: number;
    waiting: number;
    state: HealthState;
    since: Timestamp;
    message: string;
    quota: number;
    reserved: number;
    used: number;
  };
};
