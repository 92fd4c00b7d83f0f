// What can go wrong between a plugin and the database: one class for each of the contract's cases, and what the SDK itself
// finds. Documented in errors.d.ts.

/**
 * Whatever the database, the host or the SDK answers in place of rows.
 */
export class DatabaseError extends Error {
  get isConflict() {
    return this instanceof ConflictError;
  }

  get isTooLarge() {
    return this instanceof LimitError && (this.kind === "rows" || this.kind === "bytes");
  }

  get isOutcomeUnknown() {
    return this instanceof UnavailableError && this.outcomeUnknown;
  }

  get isForeignKeyViolation() {
    return this instanceof ConstraintError && this.kind === "foreign-key";
  }

  get sqlstate() {
    return this instanceof StatementError && this.code.length === 5 ? this.code : undefined;
  }

  isUniqueViolation(name, columns = []) {
    if (!(this instanceof ConstraintError) || this.kind !== "unique") {
      return false;
    }
    if (this.constraint !== "") {
      return this.constraint === name;
    }
    return this.columns.length === columns.length && columns.every((column) => this.columns.includes(column));
  }
}

export class DeniedError extends DatabaseError {}

export class InvalidError extends DatabaseError {}

export class PoolExhaustedError extends DatabaseError {
  constructor(error) {
    super(error.message);
    ({
      waited: this.waited,
      size: this.size,
      overflow: this.overflow,
      checkedOut: this.checkedOut,
      waiting: this.waiting,
    } = error);
  }
}

export class UnavailableError extends DatabaseError {
  constructor(error) {
    super(error.message);
    ({ reason: this.reason, outcomeUnknown: this.outcomeUnknown } = error);
  }
}

export class TimeoutError extends DatabaseError {
  constructor(error) {
    super(error.message);
    ({ kind: this.kind, limit: this.limit } = error);
  }
}

export class ConstraintError extends DatabaseError {
  constructor(error) {
    super(error.message);
    // `name` is the class's name in every JavaScript error.
    ({ kind: this.kind, name: this.constraint, table: this.table, columns: this.columns } = error);
  }
}

export class ConflictError extends DatabaseError {
  constructor(error) {
    super(error.message);
    this.kind = error.kind;
  }
}

export class StatementError extends DatabaseError {
  constructor(error) {
    const more = [error.detail, error.hint].filter((text) => text !== undefined && text !== null);
    super([error.message, ...more.map((text) => `(${text})`)].join(" "));
    this.code = error.code;
    this.statementMessage = error.message;
    this.detail = error.detail ?? undefined;
    this.hint = error.hint ?? undefined;
    this.position = error.position ?? undefined;
  }
}

export class LimitError extends DatabaseError {
  constructor(error) {
    super(error.message);
    ({ kind: this.kind, maximum: this.maximum } = error);
  }
}

export class ClosedError extends DatabaseError {}

export class DecodeError extends DatabaseError {
  constructor(message, column, row) {
    super(message);
    this.column = column;
    this.row = row;
  }
}

export class RowCountError extends DatabaseError {
  constructor(count) {
    super(
      count === 0
        ? "the query answered no row, and one is needed; where there may be none, read an optional row"
        : `the query answered ${count} rows, and one is needed; narrow its WHERE, add LIMIT 1, or read them all`,
    );
    this.count = count;
  }
}

const CASES = {
  denied: (error) => new DeniedError(error.message),
  invalid: (error) => new InvalidError(error.message),
  "pool-exhausted": (error) => new PoolExhaustedError(error),
  unavailable: (error) => new UnavailableError(error),
  timeout: (error) => new TimeoutError(error),
  constraint: (error) => new ConstraintError(error),
  conflict: (error) => new ConflictError(error),
  statement: (error) => new StatementError(error),
  limit: (error) => new LimitError(error),
  closed: (message) => new ClosedError(message),
};

for (const [name, errorClass] of Object.entries({
  DatabaseError,
  DeniedError,
  InvalidError,
  PoolExhaustedError,
  UnavailableError,
  TimeoutError,
  ConstraintError,
  ConflictError,
  StatementError,
  LimitError,
  ClosedError,
  DecodeError,
  RowCountError,
})) {
  errorClass.prototype.name = name;
}

/**
 * Runs `call`, and throws the host's error as its class. What is no such error goes through.
 */
export function answered(call) {
  try {
    return call();
  } catch (error) {
    throw fromContract(error);
  }
}

/**
 * The class of what the bindings threw; the exception itself where it is none of the database's errors.
 */
export function fromContract(error) {
  const { tag, val } = error?.payload ?? {};
  return Object.hasOwn(CASES, tag ?? "") ? CASES[tag](val) : error;
}
