// Timestamps, dates and times of day, exact to the database's microsecond; time zones are not here, for the database keeps UTC.

import { days, MICROSECONDS_A_DAY, parseDate, parseTime, parseTimestamp, writeDate, writeTime, yearMonthDay } from "./civil.js";

const FIRST = -(2n ** 63n);
const LAST = 2n ** 63n - 1n;
const FIRST_DAY = -(2 ** 31);
const LAST_DAY = 2 ** 31 - 1;

/**
 * Documented in time.d.ts.
 */
export class Timestamp extends Date {
  #microseconds;

  constructor(microseconds) {
    if (typeof microseconds !== "bigint") {
      throw new TypeError("a Timestamp is made of a bigint of microseconds since 1970: use Timestamp.from for a Date or a text");
    }
    if (microseconds < FIRST || microseconds > LAST) {
      throw new RangeError(`${microseconds} microseconds do not fit 64 bits`);
    }
    super(milliseconds(microseconds));
    this.#microseconds = microseconds;
  }

  static from(time) {
    if (time instanceof Timestamp) {
      return time;
    }
    if (time instanceof Date) {
      const number = time.getTime();
      if (Number.isNaN(number)) {
        throw new RangeError("an invalid Date is no timestamp");
      }
      return new Timestamp(BigInt(number) * 1000n);
    }
    const parsed = typeof time === "string" ? Timestamp.tryFrom(time) : undefined;
    if (parsed === undefined) {
      throw new RangeError(
        `\`${String(time)}\` is no timestamp with its zone to the microsecond, such as 2024-02-29T12:00:00Z or 2024-02-29T13:30:00.25+01:30`,
      );
    }
    return parsed;
  }

  static tryFrom(text) {
    if (text === "infinity" || text === "-infinity") {
      return text === "infinity" ? Timestamp.INFINITY : Timestamp.NEGATIVE_INFINITY;
    }
    const microseconds = parseTimestamp(text);
    return microseconds > FIRST && microseconds < LAST ? new Timestamp(microseconds) : undefined;
  }

  static now() {
    return new Timestamp(BigInt(Date.now()) * 1000n);
  }

  static of(date, time) {
    const microseconds = BigInt(date.days) * BigInt(MICROSECONDS_A_DAY) + BigInt(time.microseconds);
    if (!date.isFinite || microseconds <= FIRST || microseconds >= LAST) {
      throw new RangeError(`${date} at ${time} is no timestamp that fits 64 bits of microseconds`);
    }
    return new Timestamp(microseconds);
  }

  get microseconds() {
    return this.#microseconds;
  }

  get isFinite() {
    return this.#microseconds !== LAST && this.#microseconds !== FIRST;
  }

  get date() {
    if (!this.isFinite) {
      return this.#microseconds === LAST ? LocalDate.INFINITY : LocalDate.NEGATIVE_INFINITY;
    }
    return new LocalDate(this.#split()[0]);
  }

  get time() {
    return new LocalTime(this.#split()[1]);
  }

  plus(microseconds) {
    const later = this.#microseconds + BigInt(microseconds);
    if (!this.isFinite || later <= FIRST || later >= LAST) {
      throw new RangeError(`${this} and ${microseconds} microseconds are no timestamp that fits 64 bits`);
    }
    return new Timestamp(later);
  }

  compare(other) {
    const [a, b] = [this.#microseconds, other.#microseconds];
    return a < b ? -1 : a > b ? 1 : 0;
  }

  equals(other) {
    return this.#microseconds === other.#microseconds;
  }

  toString() {
    if (!this.isFinite) {
      return this.#microseconds === LAST ? "infinity" : "-infinity";
    }
    const [day, within] = this.#split();
    return `${writeDate(day)}T${writeTime(within)}Z`;
  }

  toISOString() {
    return this.toString();
  }

  toJSON() {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")]() {
    return `Timestamp(${this})`;
  }

  // The day since 1970, and the microseconds of it.
  #split() {
    const aDay = BigInt(MICROSECONDS_A_DAY);
    const within = ((this.#microseconds % aDay) + aDay) % aDay;
    return [Number((this.#microseconds - within) / aDay), Number(within)];
  }
}

// A Date that changed would no longer be at its microseconds.
for (const name of Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith("set"))) {
  Object.defineProperty(Timestamp.prototype, name, {
    value: () => {
      throw new TypeError("a Timestamp does not change: make another, with plus or of a Date");
    },
    writable: true,
    configurable: true,
  });
}

// What a Date counts, rounded toward the past; NaN where a Date can't be.
function milliseconds(microseconds) {
  if (microseconds === FIRST || microseconds === LAST) {
    return NaN;
  }
  const number = Number(microseconds);
  if (Number.isSafeInteger(number)) {
    return Math.floor(number / 1000);
  }
  const rest = ((microseconds % 1000n) + 1000n) % 1000n;
  return Number((microseconds - rest) / 1000n);
}

/**
 * Documented in time.d.ts.
 */
export class LocalDate {
  constructor(days) {
    if (!Number.isInteger(days) || days < FIRST_DAY || days > LAST_DAY) {
      throw new RangeError(`${days} is no number of days that fits 32 bits`);
    }
    this.days = days;
    Object.freeze(this);
  }

  static of(year, month, day) {
    const number = days(year, month, day);
    if (!(number > FIRST_DAY && number < LAST_DAY)) {
      throw new RangeError(`there is no day ${day} of month ${month} of the year ${year}`);
    }
    return new LocalDate(number);
  }

  static from(text) {
    const date = LocalDate.tryFrom(text);
    if (date === undefined) {
      throw new RangeError(`\`${text}\` is no date, such as 2024-02-29`);
    }
    return date;
  }

  static tryFrom(text) {
    if (text === "infinity" || text === "-infinity") {
      return text === "infinity" ? LocalDate.INFINITY : LocalDate.NEGATIVE_INFINITY;
    }
    const number = parseDate(text);
    return number > FIRST_DAY && number < LAST_DAY ? new LocalDate(number) : undefined;
  }

  get isFinite() {
    return this.days !== LAST_DAY && this.days !== FIRST_DAY;
  }

  get year() {
    return yearMonthDay(this.days)[0];
  }

  get month() {
    return yearMonthDay(this.days)[1];
  }

  get day() {
    return yearMonthDay(this.days)[2];
  }

  compare(other) {
    return Math.sign(this.days - other.days);
  }

  equals(other) {
    return this.days === other.days;
  }

  toString() {
    if (!this.isFinite) {
      return this.days === LAST_DAY ? "infinity" : "-infinity";
    }
    return writeDate(this.days);
  }

  toJSON() {
    return this.toString();
  }

  // So that `<` compares days.
  valueOf() {
    return this.days;
  }
}

/**
 * Documented in time.d.ts.
 */
export class LocalTime {
  constructor(microseconds) {
    if (!Number.isInteger(microseconds) || microseconds < 0 || microseconds > MICROSECONDS_A_DAY) {
      throw new RangeError(`${microseconds} is no time of day: it is 0 to 86,400,000,000 microseconds since midnight`);
    }
    this.microseconds = microseconds;
    Object.freeze(this);
  }

  static from(text) {
    const time = LocalTime.tryFrom(text);
    if (time === undefined) {
      throw new RangeError(`\`${text}\` is no time of day to the microsecond, such as 09:30:00 or 09:30:00.25`);
    }
    return time;
  }

  static tryFrom(text) {
    const microseconds = parseTime(text);
    return microseconds === undefined ? undefined : new LocalTime(microseconds);
  }

  get hour() {
    return Math.floor(this.microseconds / 3600e6);
  }

  get minute() {
    return Math.floor(this.microseconds / 60e6) % 60;
  }

  get second() {
    return Math.floor(this.microseconds / 1e6) % 60;
  }

  get microsecond() {
    return this.microseconds % 1e6;
  }

  compare(other) {
    return Math.sign(this.microseconds - other.microseconds);
  }

  equals(other) {
    return this.microseconds === other.microseconds;
  }

  toString() {
    return writeTime(this.microseconds);
  }

  toJSON() {
    return this.toString();
  }

  // So that `<` compares times.
  valueOf() {
    return this.microseconds;
  }
}

Timestamp.INFINITY = new Timestamp(LAST);
Timestamp.NEGATIVE_INFINITY = new Timestamp(FIRST);
LocalDate.INFINITY = new LocalDate(LAST_DAY);
LocalDate.NEGATIVE_INFINITY = new LocalDate(FIRST_DAY);
