// Trades when the average of the last few closes crosses the average of more of them; sizes and prices of orders are not
// its business.

/** @import { Bar, Description, Parameters, Strategy, StrategyClass } from "#poolhouse" */

import { Failure, PerSymbol, Signal, Window } from "#poolhouse";

/** Most bars of the slow average. */
const MAX_BARS = 10_000;

/**
 * What is remembered of one symbol. The difference is the fast average minus the slow one at the bar before; undefined until
 * there is a slow average.
 *
 * @typedef {{ closes: Window, difference?: number }} Seen
 */

/**
 * Buys when the fast average rises above the slow one, sells when it falls below.
 *
 * @implements {Strategy}
 */
export class MovingAverage {
  /** @type {Description} */
  static description = {
    summary: "Buys when the fast moving average of closes crosses above the slow one, sells when it crosses below.",
    parameters: {
      fast: { kind: "integer", summary: "Bars of the fast average; fewer than slow", minimum: 1, maximum: MAX_BARS - 1 },
      slow: { kind: "integer", summary: "Bars of the slow average", minimum: 2, maximum: MAX_BARS },
    },
  };

  #fast;
  #slow;
  /** @type {PerSymbol<Seen>} */
  #seen;

  /** @param {Parameters} parameters */
  constructor(parameters) {
    const fast = parameters.integer("fast");
    const slow = parameters.integer("slow");
    if (fast < 1) {
      throw new Failure(`parameter \`fast\` is ${fast}; it must be 1 or more`);
    }
    if (slow <= fast) {
      throw new Failure(`parameter \`fast\` is ${fast} and \`slow\` is ${slow}; fast must be less than slow`);
    }
    if (slow > MAX_BARS) {
      throw new Failure(`parameter \`slow\` is ${slow}; it must be ${MAX_BARS} or less`);
    }
    this.#fast = fast;
    this.#slow = slow;
    this.#seen = new PerSymbol(() => ({ closes: new Window(slow) }));
  }

  warmUpBars() {
    // `slow` closes give the window and with it the newest difference; one bar more repeats the newest signal too.
    return this.#slow + 1;
  }

  /**
   * @param {Bar} bar
   * @returns {Signal[]}
   */
  onBar(bar) {
    const seen = this.#seen.of(bar.symbol);
    seen.closes.push(bar.close);
    const fast = seen.closes.meanOfNewest(this.#fast);
    const slow = seen.closes.meanOfNewest(this.#slow);
    if (fast === undefined || slow === undefined) {
      return [];
    }
    const before = seen.difference;
    const difference = fast - slow;
    seen.difference = difference;
    if (before !== undefined && before <= 0 && difference > 0) {
      return [Signal.buy()];
    }
    if (before !== undefined && before >= 0 && difference < 0) {
      return [Signal.sell()];
    }
    return [];
  }
}

/** @type {StrategyClass} */
export const strategy = MovingAverage;
