// Runs scripts of operations on the database through the SDK, handles kept in numbered slots; judges nothing but the layout of
// columns.

import { Cursor, database, DatabaseError, Session, Transaction } from "#poolhouse";
import type { Rows } from "#poolhouse";
import type { Outcome, Statement, Step, Summary } from "test:conformance/script@0.1.0";
import type * as contract from "test:conformance/script@0.1.0";

import { contractError } from "./errors.ts";
import { check, checksum } from "./layout.ts";
import { asLaidOut, contractRows, executeMany, nativeParameters } from "./values.ts";

type Handle = Session | Transaction | Cursor;

const slots = new Map<number, Handle>();

export const script = {
  run: (steps) => steps.map(outcomeOf),
} satisfies typeof contract;

function outcomeOf(step: Step): Outcome {
  try {
    return stepOn(step);
  } catch (error) {
    if (error instanceof DatabaseError) {
      return { tag: "error", val: contractError(error) };
    }
    throw error;
  }
}

function stepOn(step: Step): Outcome {
  switch (step.tag) {
    case "open":
      return fill(step.val.into, Session.open(step.val.sharing));
    case "open-many":
      return openMany(step.val);
    case "query":
      return tableOf(query(step.val));
    case "query-columns": {
      const rows = query(step.val);
      check(asLaidOut(rows));
      return { tag: "answer", val: { columns: [...rows.columns], batch: asLaidOut(rows) } };
    }
    case "poll":
      for (;;) {
        const rows = query(step.val);
        if (rows.length > 0) {
          return tableOf(rows);
        }
      }
    case "execute": {
      const { on, sql, params } = step.val;
      return { tag: "changed", val: BigInt(statements(on).execute(sql, nativeParameters(params))) };
    }
    case "execute-many": {
      const { on, sql, columns } = step.val;
      return { tag: "changed", val: BigInt(executeMany(statements(on), sql, columns)) };
    }
    case "begin": {
      const { on, into, options } = step.val;
      const { isolation, readOnly, timeout } = options;
      const milliseconds = timeout === undefined ? undefined : Number(timeout) / 1000;
      return fill(into, session(on).begin({ isolation, readOnly, timeout: milliseconds }));
    }
    case "savepoint":
      return fill(step.val.into, transaction(step.val.on).beginSavepoint());
    case "commit":
      taken(step.val).commit();
      return { tag: "done" };
    case "rollback":
      taken(step.val).rollback();
      return { tag: "done" };
    case "drop":
      drop(take(step.val));
      return { tag: "done" };
    case "open-cursor": {
      const { on, sql, params } = step.val.statement;
      return fill(step.val.into, statements(on).cursor(sql, nativeParameters(params)));
    }
    case "columns":
      return { tag: "columns", val: [...cursor(step.val).columns] };
    case "next": {
      const rows = cursor(step.val).nextBatch();
      if (rows !== undefined) {
        check(asLaidOut(rows));
      }
      return { tag: "rows", val: rows && contractRows(rows) };
    }
    case "next-columns": {
      const rows = cursor(step.val).nextBatch();
      return { tag: "batch", val: rows && asLaidOut(rows) };
    }
    case "read-to-end":
      return { tag: "summary", val: readToEnd(cursor(step.val)) };
    case "health": {
      const health = database.health();
      return { tag: "health", val: { ...health, since: health.since.microseconds } };
    }
    case "stats": {
      const stats = database.stats();
      return { tag: "stats", val: { ...stats, since: stats.since.microseconds } };
    }
    case "allocate":
      new Uint8Array(step.val * 2 ** 20).fill(1);
      return { tag: "done" };
    case "spin":
      for (;;);
    case "trap":
      throw new Error("trapped on purpose");
  }
}

function openMany(count: number): Outcome {
  const opened: Session[] = [];
  try {
    while (opened.length < count) {
      opened.push(Session.open());
    }
  } finally {
    opened.forEach(drop);
  }
  return { tag: "done" };
}

function query({ on, sql, params }: Statement): Rows {
  return statements(on).query(sql, nativeParameters(params));
}

function tableOf(rows: Rows): Outcome {
  check(asLaidOut(rows));
  return { tag: "table", val: { columns: [...rows.columns], rows: contractRows(rows) } };
}

/** Only the count of the rows stays: a million of them are more than the guest's memory. */
function readToEnd(cursor: Cursor): Summary {
  const summary: Summary = { rows: 0n, batches: 0n, largestBatch: 0, checksum: 0n };
  for (let rows = cursor.nextBatch(); rows !== undefined; rows = cursor.nextBatch()) {
    summary.rows += BigInt(rows.length);
    summary.batches += 1n;
    summary.largestBatch = Math.max(summary.largestBatch, rows.length);
    summary.checksum = BigInt.asUintN(64, summary.checksum + checksum(asLaidOut(rows)));
  }
  return summary;
}

function fill(slot: number, handle: Handle): Outcome {
  const before = slots.get(slot);
  slots.set(slot, handle);
  if (before !== undefined) {
    drop(before);
  }
  return { tag: "done" };
}

function drop(handle: Handle): void {
  handle[Symbol.dispose]();
}

function handle(slot: number): Handle {
  const handle = slots.get(slot);
  if (handle === undefined) {
    throw new Error(`slot ${slot} is empty`);
  }
  return handle;
}

function take(slot: number): Handle {
  const taken = handle(slot);
  slots.delete(slot);
  return taken;
}

function statements(slot: number): Session | Transaction {
  const found = handle(slot);
  if (found instanceof Cursor) {
    throw new Error(`slot ${slot} holds a cursor`);
  }
  return found;
}

function session(slot: number): Session {
  return a(Session, slot, handle(slot));
}

function transaction(slot: number): Transaction {
  return a(Transaction, slot, handle(slot));
}

function taken(slot: number): Transaction {
  return a(Transaction, slot, take(slot));
}

function cursor(slot: number): Cursor {
  return a(Cursor, slot, handle(slot));
}

function a<T extends Handle>(type: { prototype: T; name: string }, slot: number, handle: Handle): T {
  if (Object.getPrototypeOf(handle) !== type.prototype) {
    throw new Error(`slot ${slot} holds no ${type.name}`);
  }
  return handle as T;
}
