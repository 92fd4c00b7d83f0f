// Results that are read batch by batch, or row by row; how much a batch holds, the host decides.

import { answered, ClosedError } from "./errors.js";
import { Rows } from "./rows.js";

export const dispose = Symbol.dispose ?? Symbol.for("dispose");

/**
 * Documented in session.d.ts.
 */
export class Cursor {
  #next;
  #end;
  #columns;
  #rows = 0;
  // Closed before its end it must not look as if that had been all.
  #isRead = false;

  /**
   * @param next Answers the next batch of the contract, or null or undefined at the end.
   * @param end Gives up what the cursor holds; called once.
   */
  constructor(columns, next, end) {
    this.#columns = columns;
    this.#next = next;
    this.#end = end;
  }

  static of(rows) {
    const batches = [rows];
    return new Cursor(
      rows.columns,
      () => batches.pop(),
      () => {},
    );
  }

  get columns() {
    return this.#columns;
  }

  nextBatch() {
    if (this.#next === undefined) {
      if (this.#isRead) {
        return undefined;
      }
      throw closed("cursor");
    }
    let batch;
    try {
      batch = this.#next();
    } catch (error) {
      this.close();
      throw error;
    }
    if (batch === undefined || batch === null) {
      this.#isRead = true;
      this.close();
      return undefined;
    }
    if (batch instanceof Rows) {
      return batch;
    }
    const rows = new Rows(this.#columns, batch, this.#rows);
    this.#rows += batch.rows;
    return rows;
  }

  *[Symbol.iterator]() {
    try {
      for (let rows = this.nextBatch(); rows !== undefined; rows = this.nextBatch()) {
        yield* rows;
      }
    } finally {
      this.close();
    }
  }

  close() {
    const end = this.#end;
    this.#next = undefined;
    this.#end = undefined;
    end?.();
  }

  [dispose]() {
    this.close();
  }
}

/**
 * A cursor over the host's.
 *
 * @param met Called with each error of the host's.
 * @param ended Called when it is closed.
 */
export function hostCursor(handle, met, ended) {
  return new Cursor(
    handle.columns(),
    () => {
      try {
        return answered(() => handle.next());
      } catch (error) {
        met(error);
        throw error;
      }
    },
    () => {
      ended();
      handle[dispose]();
    },
  );
}

export function closed(what) {
  return new ClosedError(`the ${what} has ended; open another`);
}
