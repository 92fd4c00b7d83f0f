// How work in a transaction ends: kept if it returns, undone if it throws, and run again after a conflict where that was asked
// for. What begins and ends, the caller says.

import { ClosedError, ConflictError, InvalidError } from "./errors.js";

/**
 * Runs `work` in transactions that `begin` gives, at most `attempts` times and at least once, as long as conflicts end it.
 */
export function inTransaction(begin, attempts = 1, work) {
  let conflict;
  for (let left = Math.max(1, attempts) - 1; ; left--) {
    const ended = attempt(begin, work, conflict);
    if (!("error" in ended)) {
      return ended.answer;
    }
    if (left === 0 || !ended.isConflict) {
      throw ended.error;
    }
    conflict = ended.error;
  }
}

function attempt(begin, work, conflict) {
  let tx;
  try {
    tx = begin();
  } catch (error) {
    // The conflict has ended the caller's transaction, too: only the caller can run that again.
    const isCallers = conflict !== undefined && (error instanceof ClosedError || error instanceof InvalidError);
    return isCallers ? { error: conflict, isConflict: false } : { error, isConflict: error instanceof ConflictError };
  }
  let answer;
  try {
    answer = synchronous(work(tx));
  } catch (error) {
    rollBack(tx);
    return { error, isConflict: tx.metConflict };
  }
  try {
    tx.commit();
    return { answer };
  } catch (error) {
    return { error, isConflict: error instanceof ConflictError };
  }
}

// What is awaited would run when the transaction has ended.
function synchronous(answer) {
  if (typeof answer?.then === "function") {
    throw new TypeError("the work of a transaction answered a promise; it must be done when it returns, without async and await");
  }
  return answer;
}

function rollBack(tx) {
  try {
    tx.rollback();
  } catch {
    // The connection is lost, and the work with it; what ended the work is what matters.
  }
}
