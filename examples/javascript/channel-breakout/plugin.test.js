// Feeds the strategy bars natively, without the host: `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Bar, Failure, Parameters } from "#poolhouse";

import { ChannelBreakout } from "./plugin.js";

/** @param {number | string} lookback */
function strategy(lookback) {
  return new ChannelBreakout(new Parameters({ lookback: String(lookback) }));
}

/**
 * What the strategy says to bars whose prices are all the same.
 *
 * @param {ChannelBreakout} strategy
 * @param {string} symbol
 * @param {number[]} prices
 */
function sides(strategy, symbol, prices) {
  return prices.map((price, day) => {
    const time = new Date(Date.UTC(2024, 0, day + 1));
    const bar = new Bar({ symbol, time, open: price, high: price, low: price, close: price, volume: 1 });
    return strategy.onBar(bar).map(({ side }) => side);
  });
}

test("only the first close outside trades", () => {
  const prices = [10, 10, 11, 12, 12, 13, 9, 8];
  assert.deepEqual(sides(strategy(2), "A", prices), [[], [], ["buy"], [], [], ["buy"], ["sell"], []]);
});

test("symbols are kept apart", () => {
  const both = strategy(2);
  sides(both, "A", [1, 1, 1]);
  assert.deepEqual(sides(both, "B", [10, 10, 11]), [[], [], ["buy"]]);
});

test("the warm-up rebuilds everything", () => {
  const prices = Array.from({ length: 300 }, (_, day) => 100 + ((day * 7919) % 13) - 6);
  const all = sides(strategy(5), "A", prices);
  for (let end = 6; end < prices.length; end++) {
    const late = strategy(5);
    sides(late, "A", prices.slice(end - late.warmUpBars(), end));
    assert.deepEqual(sides(late, "A", prices.slice(end)), all.slice(end));
  }
});

test("wrong parameters are sentences", () => {
  assert.throws(() => strategy(0), new Failure("parameter `lookback` is 0; it must be from 1 to 10000"));
  assert.throws(() => strategy("ten"), new Failure("parameter `lookback` is `ten`; it must be a whole number"));
});
