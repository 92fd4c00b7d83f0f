// What the build puts around a plugin: which exceptions are answers, and where a stack's places come from.

import assert from "node:assert/strict";
import { test } from "node:test";

import { exportFunction, exportInterface, exportStrategy } from "../glue.js";
import { ConflictError, Failure, Parameters, Signal, WitError } from "../index.js";
import { readableText } from "../stack.js";

/** What the bindings make of a call: the value, the payload of its error, or that it traps with these words. */
function outcome(call) {
  try {
    return { ok: call() };
  } catch (thrown) {
    try {
      return { err: thrown.payload };
    } catch (bug) {
      return { trap: bug.toSource().split("\n")[0] };
    }
  }
}

class Sample {
  static description = {
    summary: "s",
    parameters: { bars: { kind: "integer", summary: "b", minimum: 1, default: 1e21 }, short: { kind: "boolean", summary: "b", default: false } },
  };
  constructor(parameters) {
    this.bars = parameters.integer("bars");
  }
  warmUpBars() {
    return this.bars;
  }
  onBar(bar) {
    switch (bar.symbol) {
      case "failure":
        throw new Failure("no good");
      case "database":
        throw new ConflictError({ message: "busy", kind: "busy" });
      case "bug":
        return undefined.x;
      case "nothing":
        return undefined;
      default:
        return [Signal.buy()];
    }
  }
}

test("a strategy's failures are sentences, and its bugs are traps", () => {
  const { describe, Instance } = exportStrategy("plugin.js", "strategy", Sample);
  assert.deepEqual(describe().parameters, [
    { name: "bars", kind: "integer", summary: "b", minimum: "1", maximum: undefined, default: "1000000000000000000000" },
    { name: "short", kind: "boolean", summary: "b", minimum: undefined, maximum: undefined, default: "false" },
  ]);
  assert.deepEqual(outcome(() => Instance.create([])), { err: "parameter `bars` is missing; give it in the strategy row" });
  const instance = Instance.create([{ name: "bars", value: "2" }]);
  assert.equal(instance.warmUpBars(), 2);
  const onBar = (symbol) => outcome(() => instance.onBar({ symbol, time: 0n, open: 1, high: 1, low: 1, close: 1, volume: 1 }));
  assert.deepEqual(onBar("A"), { ok: [{ side: "buy" }] });
  assert.deepEqual(onBar("failure"), { err: "no good" });
  assert.deepEqual(onBar("database"), { err: "busy" });
  assert.match(onBar("bug").trap, /^TypeError: /);
  assert.match(onBar("nothing").trap, /must answer an array of signals/);
});

test("a service's failures have a kind", () => {
  const made = exportInterface("plugin.js", "books", {
    prefix: "!",
    fine: (text) => text,
    own() {
      throw new Failure(this.prefix);
    },
    typed: () => { throw new WitError({ tag: "none" }); },
    database: () => { throw new ConflictError({ message: "busy", kind: "busy" }); },
    bug: () => { throw new Error("oh"); },
    later: async () => 1,
  }, ["fine", "own", "typed", "database", "bug", "later"]);
  assert.deepEqual(outcome(() => made.fine("x")), { ok: "x" });
  assert.deepEqual(outcome(made.own), { err: { kind: "failed", message: "!" } });
  assert.deepEqual(outcome(made.typed), { err: { tag: "none" } });
  assert.deepEqual(outcome(made.database), { err: { kind: "failed", message: "busy" } });
  assert.deepEqual(outcome(made.bug), { trap: "Error: oh" });
  assert.match(outcome(made.later).trap, /synchronous/);
});

test("what is missing is told when the component is made", () => {
  assert.throws(() => exportInterface("plugin.js", "books", { a() {} }, ["a", "b"]), /`books\.b` of plugin\.js is no function, as wit\/world\.wit asks for/);
  assert.throws(() => exportFunction("plugin.js", "run", undefined), /is no function/);
  assert.throws(() => exportStrategy("plugin.js", "strategy", class {}), /has no method `warmUpBars`/);
});

test("another plugin's failure is told apart from other exceptions", () => {
  const thrown = Object.assign(new Error("see payload"), { payload: { kind: "missing", message: "nobody exports it" } });
  assert.deepEqual([Failure.of(thrown)?.kind, Failure.of(new Error("x")), Failure.of(null)], ["missing", undefined, undefined]);
});

test("parameters are read by type", () => {
  const parameters = new Parameters({ n: "10", big: "9223372036854775807", f: "2.5", t: "paper", b: "true" });
  assert.deepEqual([parameters.integer("n"), parameters.int64("big"), parameters.number("f"), String(parameters.decimal("f")), parameters.text("t"), parameters.boolean("b")],
    [10, 9223372036854775807n, 2.5, "2.5", "paper", true]);
  const sentence = (call, message) => assert.throws(call, new Failure(message));
  sentence(() => parameters.integer("f"), "parameter `f` is `2.5`; it must be a whole number");
  sentence(() => parameters.integer("big"), "parameter `big` is 9223372036854775807, which is out of range");
  sentence(() => parameters.number("t"), "parameter `t` is `paper`; it must be a number");
  sentence(() => parameters.boolean("t"), "parameter `t` is `paper`; it must be `true` or `false`");
  sentence(() => parameters.text("x"), "parameter `x` is missing; give it in the strategy row");
});

test("places in the script are the author's", () => {
  // Line 2 of the script is line 3 of plugin.ts from column 5 on.
  const map = { sources: ["plugin.ts"], mappings: ";AAEI,IAAI" };
  assert.equal(readableText("helper@plugin.js:2:1 and plugin.js:2:9", map), "helper@plugin.ts:3:5 and plugin.ts:3:9");
  assert.equal(readableText("plugin.js:1:1", map), "plugin.js:1:1");
});
