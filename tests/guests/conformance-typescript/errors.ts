// Turns the SDK's errors back into the contract's, field by field, so that the tests see that none is lost.

import {
  ClosedError,
  ConflictError,
  ConstraintError,
  DeniedError,
  InvalidError,
  LimitError,
  PoolExhaustedError,
  StatementError,
  TimeoutError,
  UnavailableError,
} from "#poolhouse";
import type { DatabaseError } from "#poolhouse";
import type { Error as ContractError } from "poolhouse:database/types@0.1.0";

export function contractError(error: DatabaseError): ContractError {
  const { message } = error;
  if (error instanceof DeniedError) {
    return { tag: "denied", val: { message } };
  }
  if (error instanceof InvalidError) {
    return { tag: "invalid", val: { message } };
  }
  if (error instanceof PoolExhaustedError) {
    const { waited, size, overflow, checkedOut, waiting } = error;
    return { tag: "pool-exhausted", val: { message, waited, size, overflow, checkedOut, waiting } };
  }
  if (error instanceof UnavailableError) {
    const { reason, outcomeUnknown } = error;
    return { tag: "unavailable", val: { message, reason, outcomeUnknown } };
  }
  if (error instanceof TimeoutError) {
    const { kind, limit } = error;
    return { tag: "timeout", val: { message, kind, limit } };
  }
  if (error instanceof ConstraintError) {
    const { kind, constraint, table, columns } = error;
    return { tag: "constraint", val: { message, kind, name: constraint, table, columns: [...columns] } };
  }
  if (error instanceof ConflictError) {
    return { tag: "conflict", val: { message, kind: error.kind } };
  }
  if (error instanceof StatementError) {
    const { code, statementMessage, detail, hint, position } = error;
    return { tag: "statement", val: { code, message: statementMessage, detail, hint, position } };
  }
  if (error instanceof LimitError) {
    const { kind, maximum } = error;
    return { tag: "limit", val: { message, kind, maximum } };
  }
  if (error instanceof ClosedError) {
    return { tag: "closed", val: message };
  }
  // The SDK's own: cells are read in a way that no value is refused, and rows are never counted here.
  throw error;
}
