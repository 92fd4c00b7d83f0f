// Sessions and transactions: the contract's handles with rows and callbacks around them. How work in a transaction ends is in
// scope.js.

import { columnsOf } from "./columns.js";
import { closed, dispose, hostCursor } from "./cursor.js";
import { answered, ConflictError, InvalidError } from "./errors.js";
import { databaseImport } from "./host.js";
import { Rows } from "./rows.js";
import { inTransaction } from "./scope.js";
import { Timestamp } from "./time.js";
import { toValues } from "./values.js";

/**
 * Documented in session.d.ts: what can be asked of anything that has `query`, `execute`, `executeMany` and `cursor`.
 */
export class Statements {
  queryOne(sql, params) {
    return this.query(sql, params).one();
  }

  queryOptional(sql, params) {
    return this.query(sql, params).optional();
  }

  queryScalar(sql, params) {
    return this.query(sql, params).scalar();
  }

  queryScalarOptional(sql, params) {
    return this.query(sql, params).scalarOptional();
  }

  queryScalars(sql, params) {
    return this.query(sql, params).scalars();
  }

  readAll(sql, params) {
    let limit;
    try {
      return this.query(sql, params).all();
    } catch (error) {
      if (!error?.isTooLarge) {
        throw error;
      }
      limit = error;
    }
    try {
      return [...this.cursor(sql, params)];
    } catch (error) {
      // A query that can't have a cursor: the limit is what matters.
      throw error instanceof InvalidError ? limit : error;
    }
  }
}

/**
 * Statements on a handle of the host's, which is a session or a transaction.
 */
class HostStatements extends Statements {
  query(sql, params = []) {
    const handle = this.handle();
    const values = toValues(params);
    const { columns, batch } = this.run(() => handle.query(sql, values));
    return new Rows(columns, batch);
  }

  execute(sql, params = []) {
    const handle = this.handle();
    const values = toValues(params);
    return Number(this.run(() => handle.execute(sql, values)));
  }

  executeMany(sql, rows) {
    const handle = this.handle();
    const columns = columnsOf(rows);
    return columns === undefined ? 0 : Number(this.run(() => handle.executeMany(sql, columns)));
  }

  cursor(sql, params = []) {
    const handle = this.handle();
    const values = toValues(params);
    const opened = this.run(() => handle.openCursor(sql, values));
    return this.hold(opened);
  }
}

/**
 * Documented in session.d.ts.
 */
export class Session extends HostStatements {
  #sharing;
  #handle;
  #isClosed = false;

  constructor(sharing) {
    super();
    this.#sharing = sharing;
  }

  static open(sharing = "shared") {
    const session = new Session(sharing);
    session.handle();
    return session;
  }

  transaction(...args) {
    const [options, work] = optionsAndWork(args);
    return inTransaction(() => this.begin(options), options.attempts, work);
  }

  begin(options = {}) {
    const handle = this.handle();
    const contract = toContract(options);
    return new Transaction(
      answered(() => handle.begin(contract)),
      { conflict: false },
    );
  }

  close() {
    this.#handle?.[dispose]();
    this.#handle = undefined;
    this.#isClosed = true;
  }

  [dispose]() {
    this.close();
  }

  /** @internal */
  handle() {
    if (this.#isClosed) {
      throw closed("session");
    }
    this.#handle ??= answered(() => databaseImport().Session.open(this.#sharing));
    return this.#handle;
  }

  /** @internal */
  run(call) {
    return answered(call);
  }

  /** @internal */
  hold(cursor) {
    return hostCursor(
      cursor,
      () => {},
      () => {},
    );
  }
}

/**
 * Documented in session.d.ts.
 */
export class Transaction extends HostStatements {
  #handle;
  #met;
  #cursors = new Set();

  /**
   * @param met Whether a statement of the transaction, or of a savepoint in it, met a conflict.
   */
  constructor(handle, met) {
    super();
    this.#handle = handle;
    this.#met = met;
  }

  savepoint(work) {
    return inTransaction(() => this.beginSavepoint(), 1, work);
  }

  beginSavepoint() {
    const handle = this.handle();
    return new Transaction(
      this.run(() => handle.savepoint()),
      this.#met,
    );
  }

  commit() {
    const handle = this.#end();
    this.run(() => databaseImport().Transaction.commit(handle));
  }

  rollback() {
    const handle = this.#end();
    this.run(() => databaseImport().Transaction.rollback(handle));
  }

  [dispose]() {
    if (this.#handle !== undefined) {
      this.#end()[dispose]();
    }
  }

  get metConflict() {
    return this.#met.conflict;
  }

  /** @internal */
  handle() {
    if (this.#handle === undefined) {
      throw closed("transaction");
    }
    return this.#handle;
  }

  /** @internal */
  run(call) {
    try {
      return answered(call);
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  /** @internal */
  hold(handle) {
    const cursor = hostCursor(
      handle,
      (error) => this.#note(error),
      () => this.#cursors.delete(cursor),
    );
    this.#cursors.add(cursor);
    return cursor;
  }

  #note(error) {
    this.#met.conflict ||= error instanceof ConflictError;
  }

  // Whatever becomes of the end, the host has taken the handle.
  #end() {
    const handle = this.handle();
    this.#cursors.forEach((cursor) => cursor.close());
    this.#handle = undefined;
    return handle;
  }
}

function optionsAndWork(args) {
  const [options, work] = args.length === 1 ? [{}, args[0]] : args;
  if (typeof work !== "function") {
    throw new TypeError("a transaction is given the work that is done in it: transaction(tx => …), or transaction(options, tx => …)");
  }
  return [options, work];
}

/** Microseconds that the contract can say. */
const LONGEST = 2n ** 64n - 1n;

function toContract({ isolation = "default", readOnly = false, timeout }) {
  if (timeout !== undefined && !(timeout >= 0 && Number.isFinite(timeout))) {
    throw new RangeError(`a transaction's timeout is a number of milliseconds, not ${timeout}`);
  }
  if (timeout === undefined) {
    return { isolation, readOnly, timeout };
  }
  const microseconds = BigInt(Math.round(timeout * 1000));
  return { isolation, readOnly, timeout: microseconds < LONGEST ? microseconds : LONGEST };
}

/**
 * The plugin's way to the database, opened when it is used for the first time.
 */
class Database extends Session {
  separate(...args) {
    const session = Session.open("separate");
    try {
      return session.transaction(...args);
    } finally {
      session.close();
    }
  }

  health() {
    const health = databaseImport().health();
    return { ...health, since: new Timestamp(health.since) };
  }

  stats() {
    const stats = databaseImport().stats();
    return { ...stats, since: new Timestamp(stats.since) };
  }
}

/**
 * Documented in session.d.ts.
 */
export const database = new Database("shared");
