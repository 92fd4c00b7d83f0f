// Everything that a plugin imports as `#poolhouse`; each name is documented in the .d.ts file beside its module.

export { Cursor } from "./cursor.js";
export * from "./decimal.js";
export {
  ClosedError,
  ConflictError,
  ConstraintError,
  DatabaseError,
  DecodeError,
  DeniedError,
  InvalidError,
  LimitError,
  PoolExhaustedError,
  RowCountError,
  StatementError,
  TimeoutError,
  UnavailableError,
} from "./errors.js";
export * from "./failure.js";
export * from "./log.js";
export * from "./migrations.js";
export { Rows } from "./rows.js";
export { database, Session, Statements, Transaction } from "./session.js";
export * from "./strategy.js";
export { LocalDate, LocalTime, Timestamp } from "./time.js";
export { array, float64, int64, Json, typed, TypedValue, Uuid } from "./values.js";
