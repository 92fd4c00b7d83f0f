// Trades when the close leaves the channel between the highest high and the lowest low of the bars before it; sizes and prices
// of orders are not its business.

import { Failure, PerSymbol, Signal, Window } from "#poolhouse";
import type { Bar, Description, Parameters, Strategy, StrategyClass } from "#poolhouse";

/** Most bars of the channel. */
const MAX_BARS = 10_000;

/** What is remembered of one symbol. */
interface Seen {
  highs: Window;
  lows: Window;
  /** Whether the bar before closed above its own channel. */
  above: boolean;
  /** Whether the bar before closed below its own channel. */
  below: boolean;
}

/**
 * Buys at the first close above the channel, sells at the first close below it.
 */
export class ChannelBreakout implements Strategy {
  static readonly description: Description = {
    summary: "Buys when the close breaks above the highest high of the bars before it, sells when it breaks below the lowest low.",
    parameters: {
      lookback: { kind: "integer", summary: "Bars of the channel, the newest bar not among them", minimum: 1, maximum: MAX_BARS },
    },
  };

  readonly #lookback: number;
  readonly #seen: PerSymbol<Seen>;

  constructor(parameters: Parameters) {
    const lookback = parameters.integer("lookback");
    if (lookback < 1 || lookback > MAX_BARS) {
      throw new Failure(`parameter \`lookback\` is ${lookback}; it must be from 1 to ${MAX_BARS}`);
    }
    this.#lookback = lookback;
    this.#seen = new PerSymbol(() => ({ highs: new Window(lookback), lows: new Window(lookback), above: false, below: false }));
  }

  warmUpBars(): number {
    // The channel, and one bar that tells whether the newest one was outside its own.
    return this.#lookback + 1;
  }

  onBar(bar: Bar): Signal[] {
    const seen = this.#seen.of(bar.symbol);
    const complete = seen.highs.isFull;
    const above = complete && bar.close > seen.highs.maximum();
    const below = complete && bar.close < seen.lows.minimum();
    const signals: Signal[] = [];
    if (above && !seen.above) {
      signals.push(Signal.buy());
    }
    if (below && !seen.below) {
      signals.push(Signal.sell());
    }
    seen.highs.push(bar.high);
    seen.lows.push(bar.low);
    seen.above = above;
    seen.below = below;
    return signals;
  }
}

export const strategy: StrategyClass = ChannelBreakout;
