// Feeds the strategy bars natively, without the host: `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Bar, Failure, Parameters } from "#poolhouse";

import { MovingAverage } from "./plugin.js";

/**
 * @param {number | string} fast
 * @param {number | string} slow
 */
function strategy(fast, slow) {
  return new MovingAverage(new Parameters({ fast: String(fast), slow: String(slow) }));
}

/**
 * What the strategy says to each close.
 *
 * @param {MovingAverage} strategy
 * @param {string} symbol
 * @param {number[]} closes
 */
function sides(strategy, symbol, closes) {
  return closes.map((close, day) => {
    const time = new Date(Date.UTC(2024, 0, day + 1));
    const bar = new Bar({ symbol, time, open: close, high: close, low: close, close, volume: 1 });
    return strategy.onBar(bar).map(({ side }) => side);
  });
}

test("it trades at crossings only", () => {
  const closes = [3, 2, 1, 4, 4, 4, 1, 1];
  assert.deepEqual(sides(strategy(1, 3), "A", closes), [[], [], [], ["buy"], [], [], ["sell"], []]);
});

test("symbols are kept apart", () => {
  const both = strategy(1, 3);
  sides(both, "A", [9, 9, 9, 9]);
  assert.deepEqual(sides(both, "B", [3, 2, 1, 4]), [[], [], [], ["buy"]]);
});

test("the warm-up rebuilds everything", () => {
  const closes = Array.from({ length: 300 }, (_, day) => 100 + ((day * 7919) % 13) - 6);
  const all = sides(strategy(4, 9), "A", closes);
  for (let end = 10; end < closes.length; end++) {
    const late = strategy(4, 9);
    sides(late, "A", closes.slice(end - late.warmUpBars(), end));
    assert.deepEqual(sides(late, "A", closes.slice(end)), all.slice(end));
  }
});

test("wrong parameters are sentences", () => {
  assert.throws(() => strategy(30, 10), new Failure("parameter `fast` is 30 and `slow` is 10; fast must be less than slow"));
  assert.throws(() => strategy(0, 10), new Failure("parameter `fast` is 0; it must be 1 or more"));
  assert.throws(() => strategy("ten", 30), new Failure("parameter `fast` is `ten`; it must be a whole number"));
});
