// Types of strategy.js: what a strategy is in TypeScript and JavaScript; when it is called, the host decides.

import type { Decimal } from "./decimal.js";
import type { Timestamp } from "./time.js";

/**
 * What every parameter of a strategy has.
 */
interface ParameterOf<Kind extends string, Value> {
  kind: Kind;
  /** One line for a person. */
  summary: string;
  /** The value of a row that gives none; without it a row must give one. */
  default?: Value;
}

/**
 * `minimum` and `maximum` are allowed themselves.
 */
interface Ranged<Value> {
  minimum?: Value;
  maximum?: Value;
}

/**
 * A parameter that a strategy takes. An `integer` fits 64 bits, a `number` is a decimal number.
 */
export type ParameterInfo =
  | (ParameterOf<"integer", number | bigint> & Ranged<number | bigint>)
  | (ParameterOf<"number", number | string> & Ranged<number | string>)
  | ParameterOf<"text", string>
  | ParameterOf<"boolean", boolean>;

/**
 * What a strategy is: a line for a person, and its parameters by name, in the order in which they are shown.
 */
export interface Description {
  summary: string;
  parameters: { readonly [name: string]: ParameterInfo };
}

/**
 * What an object must be able to do to trade. One is made for each enabled strategy row, in a sandbox of its own.
 */
export interface Strategy {
  /**
   * How many bars of one symbol, newest last, are enough to rebuild everything that `onBar` remembers of it.
   */
  warmUpBars(): number;

  /**
   * The next bar, in time order. What is remembered must be kept apart by symbol, for a row may watch several: see `PerSymbol`.
   *
   * @throws {Failure} Fails this bar alone; three in a row set the strategy row aside. A `DatabaseError` does the same; any other
   * exception ends the instance as well, which is then rebuilt from its last bars.
   */
  onBar(bar: Bar): readonly Signal[];
}

/**
 * The class that a plugin exports as `strategy`.
 *
 * ```ts
 * export class Cross implements Strategy { static readonly description: Description = {…}; … }
 * export const strategy: StrategyClass = Cross;
 * ```
 */
export interface StrategyClass {
  /** The same at every call. */
  readonly description: Description;

  /**
   * Makes the strategy of one row. The host has checked names, kinds and ranges against the description and filled in the
   * defaults; what only the strategy knows, such as `fast` below `slow`, it checks itself.
   *
   * @throws {Failure} One sentence for a person: which parameter, what is wrong, what is allowed.
   */
  new (parameters: Parameters): Strategy;
}

/**
 * Asks for one order for each subscribed user, at the bar's close.
 */
export interface Signal {
  readonly side: "buy" | "sell";
}

export const Signal: {
  buy(): Signal;
  sell(): Signal;
};

/**
 * One bar of one symbol. Prices are finite; within a feed times never decrease.
 */
export class Bar {
  /**
   * For tests: the host makes its own.
   *
   * @throws {RangeError} `time` is a text that is no timestamp, or no time at all.
   */
  constructor(fields: {
    symbol: string;
    /** A text is ISO 8601 with a zone, a `bigint` microseconds since 1970-01-01T00:00:00Z. */
    time: Timestamp | Date | string | bigint;
    open: number;
    high: number;
    low: number;
    close: number;
    volume: number;
  });

  readonly symbol: string;
  /** When the bar begins, as the feed says. A new object at each reading, so that bars whose time nobody asks for cost nothing. */
  get time(): Timestamp;
  /** The same in microseconds since 1970-01-01T00:00:00Z. */
  readonly microseconds: bigint;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** In the feed's unit, usually shares. */
  readonly volume: number;
}

/**
 * One row's parameters, read by name and type. Every `Failure` of these is a sentence for a person and names the parameter.
 */
export class Parameters {
  /** For tests: `new Parameters({ fast: "10", slow: "30" })`. */
  constructor(values: { readonly [name: string]: string } | Iterable<readonly [string, string]>);

  /**
   * A whole number that a JavaScript number holds exactly.
   *
   * @throws {Failure} It is missing, no whole number, or beyond ±(2^53 - 1): read it as `int64`.
   */
  integer(name: string): number;

  /**
   * A whole number of 64 bits.
   *
   * @throws {Failure} It is missing, or no such number.
   */
  int64(name: string): bigint;

  /**
   * A finite floating-point number.
   *
   * @throws {Failure} It is missing, or no such number.
   */
  number(name: string): number;

  /**
   * An exact decimal number.
   *
   * @throws {Failure} It is missing, or no plain decimal number.
   */
  decimal(name: string): Decimal;

  /**
   * The text as written.
   *
   * @throws {Failure} It is missing.
   */
  text(name: string): string;

  /**
   * `true` or `false`.
   *
   * @throws {Failure} It is missing, or neither.
   */
  boolean(name: string): boolean;
}

/**
 * What a strategy remembers, one value for each symbol, made when the symbol is seen for the first time.
 *
 * ```js
 * #closes = new PerSymbol(() => new Window(20));
 * // …
 * const closes = this.#closes.of(bar.symbol);
 * ```
 */
export class PerSymbol<T> {
  constructor(make: (symbol: string) => T);
  of(symbol: string): T;
}

/**
 * The last `length` numbers that were pushed. Sums are taken afresh and oldest first, so that they depend on nothing that has
 * left the window and are the same in every language.
 */
export class Window {
  /**
   * @param length A length below 1 is taken as 1.
   * @throws {RangeError} It is no whole number.
   */
  constructor(length: number);
  readonly length: number;
  /** Whether `length` numbers are there. */
  readonly isFull: boolean;
  /** Adds the newest number; the oldest goes when the window is full. */
  push(number: number): void;
  /** The numbers, oldest first; fewer than `length` until the window is full. A view that the next push may change. */
  values(): Float64Array;
  /** The newest `count` numbers, oldest first; fewer while fewer are there. A view that the next push may change. */
  newest(count: number): Float64Array;
  sum(): number;
  /** The mean of the newest `count` numbers; undefined while fewer are there. */
  meanOfNewest(count: number): number | undefined;
  /** The largest number; `-Infinity` of an empty window. */
  maximum(): number;
  /** The smallest number; `Infinity` of an empty window. */
  minimum(): number;
}
