// Types of decimal.js: exact decimal numbers in the contract's text form; nothing here rounds unless it is asked to.

/**
 * How a number is made to fit fewer digits: `half-even` is a bank's, `half-up` a shop's; `down` cuts off, `up` goes away from 0,
 * `floor` and `ceiling` go toward smaller and larger numbers.
 */
export type Rounding = "half-even" | "half-up" | "down" | "up" | "floor" | "ceiling";

/**
 * What an operation takes: a text is read as a decimal, and a number must be whole and exact.
 */
export type DecimalLike = Decimal | string | bigint | number;

/**
 * An exact decimal number of any length. Its scale is kept: `1.50` prints as `1.50`, though it equals `1.5`. It does not change.
 *
 * ```js
 * const price = new Decimal("101.10");
 * price.multiply(3).toString();                                     // "303.30"
 * new Decimal(10).divide(3, 2, "half-even").toString();             // "3.33"
 * Decimal.sum([price, new Decimal("0.005")]).toString();            // "101.105"
 * ```
 *
 * Comparing with `<` or adding with `+` throws a `TypeError`: there is `compare`, `equals`, `add` and the like.
 */
export class Decimal {
  /**
   * @throws {RangeError} A text that is no optional `-`, digits, and optional `.` with digits; a number with a fraction or beyond
   * ±(2^53 - 1).
   */
  constructor(value: DecimalLike);

  /** `digits` × 10^-`scale`. */
  static scaled(digits: bigint | number, scale: number): Decimal;

  /** The number that the text is; undefined if it is none. `NaN` and `Infinity` are none. */
  static parse(text: string): Decimal | undefined;

  /** The shortest decimal that reads back as that number: `0.1` of 0.1. Undefined for NaN and infinities. */
  static shortest(number: number): Decimal | undefined;

  /** 0 of no decimals. */
  static sum(decimals: Iterable<DecimalLike>): Decimal;

  /** Digits after the point: `1.50` has two. */
  readonly scale: number;
  readonly sign: -1 | 0 | 1;
  readonly isZero: boolean;
  /** Whether it is above 0. */
  readonly isPositive: boolean;
  /** Whether it is below 0. */
  readonly isNegative: boolean;

  /** With the larger of both scales, as `subtract`. */
  add(other: DecimalLike): Decimal;
  subtract(other: DecimalLike): Decimal;
  /** With the sum of both scales. */
  multiply(other: DecimalLike): Decimal;
  negate(): Decimal;
  abs(): Decimal;

  /** Below 0, 0 or above 0, as a sort wants it. */
  compare(other: DecimalLike): -1 | 0 | 1;
  /** Whether both are the same number: `1.5` equals `1.50`. */
  equals(other: DecimalLike): boolean;

  /** With that many digits after the point. */
  round(scale: number, rounding: Rounding): Decimal;

  /**
   * The quotient with that many digits after the point, rounded once from its exact value.
   *
   * @throws {RangeError} The divisor is 0.
   */
  divide(divisor: DecimalLike, scale: number, rounding: Rounding): Decimal;

  /** The float nearest to it, which most often is another number: for ratios and charts, not for money. */
  toNumber(): number;

  /**
   * The whole number that it is; `3.00` is one.
   *
   * @throws {RangeError} It has a fraction.
   */
  toBigInt(): bigint;

  /** Optional `-`, digits, optional `.` and digits; never an exponent. */
  toString(): string;
  /** The same text, for exactness. */
  toJSON(): string;
}
