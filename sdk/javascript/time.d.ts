// Types of time.js: timestamps, dates and times of day, exact to the microsecond; time zones are not here, for the database keeps UTC.

/**
 * An instant: microseconds since 1970-01-01T00:00:00Z, always UTC. It is a `Date`, whose milliseconds are its microseconds rounded
 * toward the past, and it does not change: the setters throw a `TypeError`. PostgreSQL's infinities, and instants beyond the years
 * ±271,821, are exact in `microseconds` and `toString`; as a `Date` they are invalid.
 *
 * `<` compares milliseconds; `compare` and `equals` compare microseconds.
 */
export interface Timestamp extends Date {
  readonly microseconds: bigint;
  /** Whether it is an instant, not one of PostgreSQL's infinities. */
  readonly isFinite: boolean;
  /** Its day, in UTC; an infinity's is the infinite date. */
  readonly date: LocalDate;
  /** Its time of day, in UTC. */
  readonly time: LocalTime;

  /**
   * That many microseconds later; earlier, if it is below 0.
   *
   * @throws {RangeError} It does not fit 64 bits, or this is an infinity.
   */
  plus(microseconds: bigint | number): Timestamp;

  compare(other: Timestamp): -1 | 0 | 1;
  equals(other: Timestamp): boolean;

  /** `2024-02-29T12:00:00Z`, with up to six digits of a second's fraction; `infinity` and `-infinity`. */
  toString(): string;
  toISOString(): string;
  toJSON(): string;
}

export const Timestamp: {
  /** @throws {RangeError} It does not fit 64 bits. */
  new (microseconds: bigint): Timestamp;
  readonly prototype: Timestamp;

  /**
   * Of a `Date`, or of a text with its zone, such as `2024-02-29T12:00:00Z` or `2024-02-29T13:30:00.25+01:30`.
   *
   * @throws {RangeError} The `Date` is invalid, or the text is no timestamp to the microsecond.
   */
  from(time: Timestamp | Date | string): Timestamp;

  /** Of such a text, or of `infinity` or `-infinity`; undefined if it is none. */
  tryFrom(text: string): Timestamp | undefined;

  /** The host's clock, to the millisecond. */
  now(): Timestamp;

  /**
   * That time of that day, in UTC.
   *
   * @throws {RangeError} The date is infinite, or it does not fit 64 bits of microseconds.
   */
  of(date: LocalDate, time: LocalTime): Timestamp;

  /** PostgreSQL's `infinity`, after every other timestamp. */
  readonly INFINITY: Timestamp;
  /** PostgreSQL's `-infinity`, before every other timestamp. */
  readonly NEGATIVE_INFINITY: Timestamp;
};

/**
 * A day of the proleptic Gregorian calendar, without a time zone. `<` and `>` compare days.
 */
export class LocalDate {
  /**
   * @param days Since 1970-01-01, negative before it; the largest and the smallest of 32 bits are PostgreSQL's infinities.
   * @throws {RangeError} It is no whole number that fits 32 bits.
   */
  constructor(days: number);

  /**
   * `LocalDate.of(2024, 2, 29)`: months and days count from 1; year 0 is the one before year 1.
   *
   * @throws {RangeError} There is no such day.
   */
  static of(year: number, month: number, day: number): LocalDate;

  /**
   * Of `2024-02-29`.
   *
   * @throws {RangeError} The text is no date.
   */
  static from(text: string): LocalDate;

  /** Of `2024-02-29`, `infinity` or `-infinity`; undefined if it is none. */
  static tryFrom(text: string): LocalDate | undefined;

  static readonly INFINITY: LocalDate;
  static readonly NEGATIVE_INFINITY: LocalDate;

  readonly days: number;
  /** Whether it is a day, not one of PostgreSQL's infinities. */
  readonly isFinite: boolean;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  compare(other: LocalDate): number;
  equals(other: LocalDate): boolean;
  /** `2024-02-29`; years outside 0 to 9999 with a sign; `infinity` and `-infinity`. */
  toString(): string;
  toJSON(): string;
  valueOf(): number;
}

/**
 * A time of day, without a time zone; up to 24:00:00, which PostgreSQL allows. `<` and `>` compare times.
 */
export class LocalTime {
  /**
   * @param microseconds Since midnight, 0 to 86,400,000,000.
   * @throws {RangeError} It is no such number.
   */
  constructor(microseconds: number);

  /**
   * Of `09:30:00` or `09:30:00.25`.
   *
   * @throws {RangeError} The text is no time of day to the microsecond.
   */
  static from(text: string): LocalTime;

  /** Of such a text; undefined if it is none. */
  static tryFrom(text: string): LocalTime | undefined;

  readonly microseconds: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 to 999,999. */
  readonly microsecond: number;
  compare(other: LocalTime): number;
  equals(other: LocalTime): boolean;
  /** `09:30:00`, with up to six digits of a second's fraction. */
  toString(): string;
  toJSON(): string;
  valueOf(): number;
}
