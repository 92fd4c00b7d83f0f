// Sessions, transactions and cursors on a stand-in for the contract's bindings that writes down what becomes of its handles.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { provide } from "../host.js";
import { ClosedError, ConflictError, database, InvalidError, LimitError, Session } from "../index.js";

const dispose = Symbol.dispose ?? Symbol.for("dispose");

let lines;
/** Errors that the next calls of that name answer with, in the contract's form. */
let errors;

function call(name) {
  lines.push(name);
  const payload = errors[name]?.shift();
  if (payload) {
    throw Object.assign(new Error("see payload"), { payload });
  }
}

const batch = (...numbers) => ({ rows: numbers.length, columns: [{ validity: new Uint8Array(0), values: { tag: "int64", val: BigInt64Array.from(numbers, BigInt) } }] });
const columns = [{ name: "n", kind: "int64", databaseType: "int8" }];

class Handle {
  batches = [batch(1, 2), batch(3)];
  query() {
    call("query");
    return { columns, batch: batch(1, 2) };
  }
  execute() {
    call("execute");
    return 1n;
  }
  executeMany(_sql, given) {
    call(`many ${given.length}`);
    return 2n;
  }
  openCursor() {
    call("cursor");
    return new Handle();
  }
  columns() {
    return columns;
  }
  next() {
    call("next");
    return this.batches.shift();
  }
  begin() {
    call("begin");
    return new Handle();
  }
  savepoint() {
    call("savepoint");
    return new Handle();
  }
  [dispose]() {
    lines.push("dropped");
  }
}

beforeEach(() => {
  lines = [];
  errors = {};
  provide({
    database: {
      Session: { open: (sharing) => (call(`open ${sharing}`), new Handle()) },
      Transaction: { commit: () => call("commit"), rollback: () => call("rollback") },
    },
  });
});

const conflict = { tag: "conflict", val: { kind: "serialization", message: "somebody else was first" } };
const session = () => Session.open();
const afterOpening = () => lines.slice(1);

test("a transaction is kept when its work returns, and undone when it throws", () => {
  assert.equal(session().transaction((tx) => tx.execute("x") + 6), 7);
  assert.deepEqual(afterOpening(), ["begin", "execute", "commit"]);
  lines = [];
  assert.throws(() => session().transaction(() => { throw new Error("no"); }), /no/);
  assert.deepEqual(afterOpening(), ["begin", "rollback"]);
  lines = [];
  assert.throws(() => session().transaction(async () => {}), TypeError);
  assert.deepEqual(afterOpening(), ["begin", "rollback"]);
});

test("conflicts run it again, as often as was asked for", () => {
  errors = { execute: [conflict, conflict] };
  assert.equal(session().transaction({ attempts: 3 }, (tx) => tx.execute("x")), 1);
  assert.deepEqual(afterOpening(), ["begin", "execute", "rollback", "begin", "execute", "rollback", "begin", "execute", "commit"]);
  lines = [];
  errors = { commit: [conflict] };
  assert.equal(session().transaction({ attempts: 2 }, () => 5), 5);
  assert.deepEqual(afterOpening(), ["begin", "commit", "begin", "commit"]);
  errors = { execute: [conflict] };
  assert.throws(() => session().transaction((tx) => tx.execute("x")), ConflictError);
  // What ends the work may be another exception than the conflict.
  errors = { execute: [conflict] };
  assert.equal(session().transaction({ attempts: 2 }, (tx) => {
    try {
      return tx.execute("x");
    } catch {
      throw new Error("no luck");
    }
  }), 1);
});

test("a conflict that ended the caller's transaction is the caller's", () => {
  errors = { execute: [conflict], begin: [null, { tag: "closed", val: "the transaction is gone" }] };
  assert.throws(() => session().transaction({ attempts: 9 }, (tx) => tx.execute("x")), ConflictError);
  errors = { begin: [{ tag: "closed", val: "the transaction is gone" }] };
  assert.throws(() => session().transaction({ attempts: 9 }, () => {}), ClosedError);
});

test("a savepoint is undone by itself", () => {
  session().transaction((tx) => {
    assert.throws(() => tx.savepoint(() => { throw new Error("no"); }), /no/);
    tx.savepoint((savepoint) => savepoint.execute("x"));
  });
  assert.deepEqual(afterOpening(), ["begin", "savepoint", "rollback", "savepoint", "execute", "commit", "commit"]);
});

test("a handle that has ended is not used again", () => {
  let kept;
  session().transaction((tx) => { kept = tx; });
  assert.throws(() => kept.execute("x"), ClosedError);
  const closed = session();
  closed.close();
  assert.throws(() => closed.execute("x"), ClosedError);
  const tx = session().begin();
  tx[dispose]();
  tx[dispose]();
  assert.equal(lines.filter((line) => line === "dropped").length, 2);
});

test("a cursor is closed at its end, when the loop is left, and with its transaction", () => {
  const numbers = [...session().cursor("x")].map(({ n }) => n);
  assert.deepEqual(numbers, [1n, 2n, 3n]);
  assert.deepEqual(afterOpening(), ["cursor", "next", "next", "next", "dropped"]);
  lines = [];
  for (const { n } of session().cursor("x")) {
    assert.equal(n, 1n);
    break;
  }
  assert.deepEqual(afterOpening(), ["cursor", "next", "dropped"]);
  lines = [];
  const left = session().transaction((tx) => tx.cursor("x"));
  assert.deepEqual(afterOpening(), ["begin", "cursor", "dropped", "commit"]);
  assert.throws(() => left.nextBatch(), ClosedError);
});

test("an end is not mistaken for an error, nor an error for the end", () => {
  const read = session().cursor("x");
  while (read.nextBatch() !== undefined);
  assert.equal(read.nextBatch(), undefined);
  errors = { next: [null, { tag: "limit", val: { kind: "rows", message: "too many", maximum: 1n } }] };
  const broken = session().cursor("x");
  assert.equal(broken.nextBatch().length, 2);
  assert.throws(() => broken.nextBatch(), LimitError);
  assert.throws(() => broken.nextBatch(), ClosedError);
});

test("what is too large for an answer is read through a cursor", () => {
  const limit = { tag: "limit", val: { kind: "rows", message: "too many", maximum: 1n } };
  errors = { query: [limit] };
  assert.deepEqual(session().readAll("x").map(({ n }) => n), [1n, 2n, 3n]);
  errors = { query: [limit], cursor: [{ tag: "invalid", val: { message: "no cursor" } }] };
  assert.throws(() => session().readAll("x"), LimitError);
});

test("rows become columns, and no rows are not asked about", () => {
  assert.equal(session().executeMany("x", [[1, "a"], [2, null]]), 2);
  assert.equal(session().executeMany("x", []), 0);
  assert.deepEqual(afterOpening(), ["many 2", "open shared"]);
  assert.throws(() => session().executeMany("x", [[1], [1, 2]]), TypeError);
});

test("a separate transaction has a session of its own, and gives it up", () => {
  assert.throws(() => database.separate(() => { throw new Error("no"); }), /no/);
  assert.deepEqual(lines, ["open separate", "begin", "rollback", "dropped"]);
});

test("errors are told by their class and their fields", () => {
  errors = { execute: [{ tag: "constraint", val: { kind: "unique", message: "there already", name: "", table: "t", columns: ["b", "a"] } }] };
  try {
    session().execute("x");
    assert.fail();
  } catch (error) {
    assert.ok(error.isUniqueViolation("t_key", ["a", "b"]) && !error.isUniqueViolation("t_key", ["a"]) && error.name === "ConstraintError");
  }
  errors = { execute: [{ tag: "statement", val: { code: "42703", message: "no column", hint: "Perhaps." } }] };
  assert.throws(() => session().execute("x"), { message: "no column (Perhaps.)", sqlstate: "42703" });
  errors = { execute: [{ tag: "invalid", val: { message: "two statements" } }] };
  assert.throws(() => session().execute("x"), InvalidError);
});
