// What the build puts around a plugin: which exceptions are answers, and where a stack's places come from.

import assert from "node:assert/strict";
import { test } from "node:test";

import { exportFunction, exportInterface, exportStrategy, importFunction } from "../glue.js";
import { ConflictError, Failure, Parameters, Signal, WitError } from "../index.js";
import { readable, readableText } from "../stack.js";

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
  }, { fine: { result: { ok: "string", err: null } }, own: null, typed: null, database: null, bug: null, later: null });
  assert.deepEqual(outcome(() => made.fine("x")), { ok: "x" });
  assert.deepEqual(outcome(made.own), { err: { kind: "failed", message: "!" } });
  assert.deepEqual(outcome(made.typed), { err: { tag: "none" } });
  assert.deepEqual(outcome(made.database), { err: { kind: "failed", message: "busy" } });
  assert.deepEqual(outcome(made.bug), { trap: "Error: oh" });
  assert.match(outcome(made.later).trap, /synchronous/);
});

test("what is missing is told when the component is made", () => {
  assert.throws(() => exportInterface("plugin.js", "books", { a() {} }, { a: null, b: null }), /`books\.b` of plugin\.js is no function, as wit\/world\.wit asks for/);
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

test("what does not fit is never made to fit", () => {
  const answer = (shape, value) => outcome(exportFunction("plugin.js", "run", () => value, shape));
  const fine = [
    ["u32", 0], ["u32", 4294967295], ["s8", -128], ["u64", 2n ** 64n - 1n], ["s64", -(2n ** 63n)], ["f64", NaN], ["bool", false], ["string", ""],
    [null, Symbol.iterator], [{ option: "u8" }, undefined], [{ option: "u8" }, null], [{ option: { option: "u8" } }, { tag: "some", val: null }],
    [{ list: "u8" }, new Uint8Array(3)], [{ list: "s64" }, [1n, 2n]], [{ tuple: ["u8", "string"] }, [1, "a"]],
    [{ record: { "user-id": "string", at: { option: "s64" }, "HTTP-status": "u8" } }, { userId: "a", httpStatus: 1 }], [{ enum: ["a", "b-c"] }, "b-c"],
    [{ variant: { none: null, some: "u8" } }, { tag: "some", val: 1 }], [{ result: { ok: "u8", err: "string" } }, 7],
  ];
  for (const [shape, value] of fine) {
    assert.deepEqual(answer(shape, value), { ok: value }, JSON.stringify(shape));
  }
  const wrong = [
    ["u32", -1, "-1; it must be a whole number from 0 to 4294967295"],
    ["u32", 2.5, "2.5; it must be a whole number"],
    ["s64", 2n ** 63n, "9223372036854775808n; it must be a bigint from -9223372036854775808n to 9223372036854775807n"],
    ["s64", 1, "1; it must be a bigint"],
    ["u8", "1", '"1"; it must be a whole number'],
    ["bool", undefined, "undefined; it must be true or false"],
    ["string", 5, "5; it must be a string"],
    [{ list: "u8" }, 5, "5; it must be an array"],
    [{ list: { record: { "user-id": "u8" } } }, [{ userId: 1 }, { userId: 256 }], "256 as [1].userId; it must be a whole number"],
    [{ tuple: ["u8"] }, [1, 2], "an array of 2; it must be an array of 1"],
    [{ enum: ["a", "b"] }, "c", '"c"; it must be one of "a", "b"'],
    [{ variant: { a: "u8" } }, { tag: "a", val: -1 }, "-1 as .val; it must be"],
    [{ variant: { a: "u8" } }, { tag: "x" }, 'an object (Object); it must be an object whose tag is "a"'],
    [{ result: { ok: "u8", err: "string" } }, 300, "300; it must be"],
    [{ option: "u8" }, 256, "256; it must be"],
  ];
  for (const [shape, value, words] of wrong) {
    assert.ok(answer(shape, value).trap.startsWith(`TypeError: \`run\` of plugin.js answered ${words}`), answer(shape, value).trap);
  }
  const call = importFunction("pay", (amount) => amount, ["s64"]);
  assert.equal(call(5n), 5n);
  assert.throws(() => call(2n ** 70n), { message: /^`pay` was given 1180591620717411303424n; it must be a bigint/ });
});

test("a strategy's numbers and signals are checked", () => {
  for (const bars of ["abc", undefined, 2.5, 2 ** 40, -1]) {
    class Wrong extends Sample {
      constructor() { super(new Parameters({ bars: "1" })); }
      warmUpBars() { return bars; }
    }
    const made = exportStrategy("plugin.js", "strategy", Wrong).Instance.create([]);
    assert.match(outcome(() => made.warmUpBars()).trap, /^TypeError: `warmUpBars` of `strategy` of plugin\.js answered .*; it must be a whole number/);
  }
  for (const signals of [["buy"], [undefined], [{ side: "up" }]]) {
    class Wrong extends Sample {
      constructor() { super(new Parameters({ bars: "1" })); }
      onBar() { return signals; }
    }
    const made = exportStrategy("plugin.js", "strategy", Wrong).Instance.create([]);
    assert.match(outcome(() => made.onBar({ symbol: "A", time: 0n })).trap, /^TypeError: `onBar` of `strategy` of plugin\.js answered .* as a signal/);
  }
});

test("a stack has an end, and so has a chain of causes", () => {
  const deep = new Error("deep");
  deep.stack = Array.from({ length: 1000 }, (_, line) => `f@plugin.js:${line + 1}:1`).join("\n");
  deep.cause = deep;
  const lines = readable(deep).split("\n");
  assert.equal(lines[0], "Error: deep");
  assert.ok(lines.length < 100, lines.length);
});
