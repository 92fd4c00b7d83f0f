// What a strategy is in JavaScript: its description, its parameters, bars and signals; when it is called, the host decides.

import { Decimal } from "./decimal.js";
import { Failure } from "./failure.js";
import { Timestamp } from "./time.js";

export { PerSymbol, Window } from "./window.js";

/**
 * Documented in strategy.d.ts.
 */
export const Signal = Object.freeze({
  buy: () => BUY,
  sell: () => SELL,
});

// Plain data without an identity: one object serves every signal.
const BUY = Object.freeze({ side: "buy" });
const SELL = Object.freeze({ side: "sell" });

/**
 * Documented in strategy.d.ts.
 */
export class Bar {
  constructor(fields) {
    const { symbol, time, open, high, low, close, volume } = fields;
    this.symbol = symbol;
    this.microseconds = typeof time === "bigint" ? time : Timestamp.from(time).microseconds;
    this.open = open;
    this.high = high;
    this.low = low;
    this.close = close;
    this.volume = volume;
  }

  get time() {
    return new Timestamp(this.microseconds);
  }
}

const SMALLEST_INT64 = -(2n ** 63n);
const LARGEST_INT64 = 2n ** 63n - 1n;

/**
 * Documented in strategy.d.ts.
 */
export class Parameters {
  #values;

  constructor(values) {
    this.#values = new Map(Symbol.iterator in values ? values : Object.entries(values));
  }

  integer(name) {
    const number = this.int64(name);
    if (number < Number.MIN_SAFE_INTEGER || number > Number.MAX_SAFE_INTEGER) {
      throw new Failure(`parameter \`${name}\` is ${number}, which is out of range`);
    }
    return Number(number);
  }

  int64(name) {
    const text = this.text(name);
    if (!/^[+-]?[0-9]+$/.test(text)) {
      throw wrong(name, text, "a whole number");
    }
    const number = BigInt(text.startsWith("+") ? text.slice(1) : text);
    if (number < SMALLEST_INT64 || number > LARGEST_INT64) {
      throw wrong(name, text, "a whole number");
    }
    return number;
  }

  number(name) {
    const text = this.text(name);
    if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text)) {
      throw wrong(name, text, "a number");
    }
    const number = Number(text);
    if (!Number.isFinite(number)) {
      throw wrong(name, text, "a finite number");
    }
    return number;
  }

  decimal(name) {
    const text = this.text(name);
    const number = Decimal.parse(text);
    if (number === undefined) {
      throw wrong(name, text, "a decimal number");
    }
    return number;
  }

  text(name) {
    const text = this.#values.get(name);
    if (text === undefined) {
      throw new Failure(`parameter \`${name}\` is missing; give it in the strategy row`);
    }
    return text;
  }

  boolean(name) {
    const text = this.text(name);
    if (text !== "true" && text !== "false") {
      throw wrong(name, text, "`true` or `false`");
    }
    return text === "true";
  }
}

function wrong(name, text, expected) {
  return new Failure(`parameter \`${name}\` is \`${text}\`; it must be ${expected}`);
}
