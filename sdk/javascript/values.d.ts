// Types of values.js: what goes to the database and comes from it.

import type { Decimal } from "./decimal.js";
import type { LocalDate, LocalTime, Timestamp } from "./time.js";

/**
 * What a column holds, and what a parameter is, in the contract's words.
 */
export type Kind =
  | "boolean"
  | "int64"
  | "float64"
  | "decimal"
  | "text"
  | "bytes"
  | "uuid"
  | "date"
  | "time"
  | "timestamp"
  | "json";

/**
 * A cell of a row. By the column's kind: `boolean`; int64 is a `bigint`, always; float64 a `number`; decimal a `Decimal`; text a
 * `string`; bytes a `Uint8Array`; `Uuid`, `LocalDate`, `LocalTime`, `Timestamp`, `Json`; NULL is `null`. Other types of PostgreSQL's
 * are their text, its arrays are `Json`.
 */
export type Cell = boolean | bigint | number | Decimal | string | Uint8Array | Uuid | LocalDate | LocalTime | Timestamp | Json | null;

/**
 * What a placeholder `$1` can be given. It is bound to the type that the database gives the placeholder, exactly or not at all.
 *
 * - a `number` that is whole and within ±(2^53 - 1) is an integer, which also fits columns of floating-point numbers and decimals;
 *   any other `number`, -0 among them, is a floating-point number. `int64(…)` and `float64(…)` say which.
 * - a `bigint` is an integer of 64 bits.
 * - a `Date` is a timestamp.
 * - an array is an array, which PostgreSQL alone has; its elements are null or all of one kind. `array("text", [])` is one
 *   without elements. On SQLite pass `Json.of([…])` and read it with `json_each($1)`.
 * - `undefined` is a `TypeError`: NULL is `null`.
 */
export type Parameter = Cell | Date | TypedValue | readonly (Cell | Date | TypedValue)[];

/**
 * A UUID. It does not change.
 */
export class Uuid {
  /** @throws {RangeError} The text is not 32 hexadecimal digits, with hyphens between groups of 8, 4, 4, 4 and 12 or without any. */
  constructor(text: string | Uuid);
  /** Undefined if the text is no UUID. */
  static parse(text: string): Uuid | undefined;
  /** A new one, of version 4. */
  static random(): Uuid;
  equals(other: Uuid): boolean;
  /** With hyphens, in small letters. */
  toString(): string;
  toJSON(): string;
}

/**
 * A JSON text, kept as it is written.
 */
export class Json {
  constructor(text: string);
  /** @throws {TypeError} JSON has no such value: `undefined`, a function, a `bigint`. */
  static of(value: unknown): Json;
  readonly text: string;
  /**
   * As `JSON.parse` has it: numbers become 64-bit floats, so that integers beyond 2^53 and decimals lose digits. Where these matter, as
   * in an array of PostgreSQL's `int8` or `numeric`, read `text`, or let the statement answer texts.
   *
   * @throws {SyntaxError} The text is no JSON.
   */
  parse(): any;
  toString(): string;
}

/**
 * A value in the contract's own form: what `Rows.typed` reads, and what can be passed as a parameter again without loss. `value`
 * is a `bigint` for int64, time and timestamp (microseconds), a `number` for float64 and date (days since 1970), `{ high, low }` for
 * uuid, a `string` for decimal, text and json, a `Uint8Array` for bytes, undefined for null.
 */
export class TypedValue {
  private constructor();
  readonly kind: Kind | "null" | "array";
  readonly value: unknown;
}

/**
 * A parameter of exactly that kind, its value as in `TypedValue`: `typed("decimal", "NaN")` is PostgreSQL's `NaN`, which no
 * `Decimal` is.
 */
export function typed(kind: Kind | "null" | "array", value?: unknown): TypedValue;

/**
 * An integer parameter.
 *
 * @throws {RangeError} It is not whole, or does not fit 64 bits.
 */
export function int64(number: number | bigint): TypedValue;

/** A floating-point parameter. */
export function float64(number: number): TypedValue;

/**
 * An array parameter whose elements are null or of that kind, also where there are none.
 *
 * @throws {InvalidError} An element is of another kind.
 */
export function array(kind: Kind, items: Iterable<Cell | Date | TypedValue>): TypedValue;
