// Values on their way to the database: what a parameter of JavaScript is in the contract. Columns of many are made in columns.js.

import { columnOf } from "./columns.js";
import { Decimal } from "./decimal.js";
import { InvalidError } from "./errors.js";
import { LocalDate, LocalTime, Timestamp } from "./time.js";

/**
 * Documented in values.d.ts.
 */
export class Uuid {
  #text;

  constructor(text) {
    if (text instanceof Uuid) {
      return text;
    }
    if (!/^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(text)) {
      throw new RangeError(
        `\`${text}\` is no UUID: 32 hexadecimal digits, with hyphens as in 01234567-89ab-cdef-0011-223344556677 or without any`,
      );
    }
    this.#text = hyphened(String(text).replaceAll("-", "").toLowerCase());
  }

  static parse(text) {
    try {
      return new Uuid(text);
    } catch {
      return undefined;
    }
  }

  static random() {
    return new Uuid(crypto.randomUUID());
  }

  equals(other) {
    return this.#text === other.#text;
  }

  toString() {
    return this.#text;
  }

  toJSON() {
    return this.#text;
  }

  [Symbol.for("nodejs.util.inspect.custom")]() {
    return `Uuid(${this})`;
  }
}

function hyphened(digits) {
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join("-");
}

export function uuidOfContract({ high, low }) {
  return new Uuid(high.toString(16).padStart(16, "0") + low.toString(16).padStart(16, "0"));
}

export function uuidToContract(uuid) {
  const digits = uuid.toString().replaceAll("-", "");
  return { high: BigInt(`0x${digits.slice(0, 16)}`), low: BigInt(`0x${digits.slice(16)}`) };
}

/**
 * Documented in values.d.ts.
 */
export class Json {
  constructor(text) {
    if (typeof text !== "string") {
      throw new TypeError("a Json is made of a text: use Json.of for a value");
    }
    this.text = text;
    Object.freeze(this);
  }

  static of(value) {
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError(`JSON has no ${typeof value}`);
    }
    return new Json(text);
  }

  parse() {
    return JSON.parse(this.text);
  }

  toString() {
    return this.text;
  }
}

/**
 * Documented in values.d.ts.
 */
export class TypedValue {
  constructor(tag, val) {
    this.tag = tag;
    this.val = val;
    Object.freeze(this);
  }

  get kind() {
    return this.tag;
  }

  get value() {
    return this.val;
  }
}

export function typed(kind, value) {
  return new TypedValue(kind, value);
}

export function int64(number) {
  const value = BigInt(number);
  if (BigInt.asIntN(64, value) !== value) {
    throw new RangeError(`${value} does not fit 64 bits`);
  }
  return new TypedValue("int64", value);
}

export function float64(number) {
  return new TypedValue("float64", Number(number));
}

export function array(kind, items) {
  return new TypedValue("array", columnOf(items, "the array", kind));
}

const NULL = Object.freeze({ tag: "null" });

/**
 * The contract's values of a statement's parameters.
 */
export function toValues(params) {
  if (!Array.isArray(params)) {
    throw new TypeError("parameters are an array, one for each placeholder: [first, second]");
  }
  return params.map((param, index) => toValue(param, `parameter $${index + 1}`));
}

/**
 * The contract's value; `where` begins the sentence if there is none.
 *
 * @throws {InvalidError} The value can't be held exactly.
 * @throws {TypeError} It is of no kind that the database has.
 */
export function toValue(value, where) {
  const kind = kindOf(value, where);
  switch (kind) {
    case "null":
      return NULL;
    case "typed":
      return value;
    case "whole":
      return { tag: "int64", val: BigInt(value) };
    case "array":
      return { tag: "array", val: columnOf(value, where) };
    default:
      return { tag: kind, val: toContract(kind, value) };
  }
}

/**
 * What a value is: one of the contract's kinds, `whole` for a number that is exact as an integer, `null`, `array` or `typed`.
 */
export function kindOf(value, where) {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) {
        throw new InvalidError(`${where} is a text with half of a surrogate pair, which UTF-8 does not have`);
      }
      return "text";
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? "whole" : "float64";
    case "bigint":
      if (BigInt.asIntN(64, value) !== value) {
        throw new InvalidError(`${where} is ${value}, which does not fit 64 bits; pass a Decimal`);
      }
      return "int64";
    case "boolean":
      return "boolean";
    case "undefined":
      throw new TypeError(`${where} is undefined; pass null for NULL`);
    default:
      return kindOfObject(value, where);
  }
}

function kindOfObject(value, where) {
  if (value === null) {
    return "null";
  }
  if (value instanceof Decimal) {
    return "decimal";
  }
  if (value instanceof Date) {
    if (!(value instanceof Timestamp) && Number.isNaN(value.getTime())) {
      throw new InvalidError(`${where} is an invalid Date`);
    }
    return "timestamp";
  }
  // The bindings' own are of another realm, where Uint8Array is another one.
  if (Object.prototype.toString.call(value) === "[object Uint8Array]") {
    return "bytes";
  }
  if (Array.isArray(value)) {
    return "array";
  }
  if (value instanceof TypedValue) {
    return "typed";
  }
  for (const [type, kind] of [
    [Uuid, "uuid"],
    [LocalDate, "date"],
    [LocalTime, "time"],
    [Json, "json"],
  ]) {
    if (value instanceof type) {
      return kind;
    }
  }
  const what = typeof value === "object" ? `an object of the class ${value.constructor?.name ?? "none"}` : `a ${typeof value}`;
  throw new TypeError(`${where} is ${what}, which is no value of a database; JSON is passed as Json.of(value)`);
}

/**
 * A value of that kind as the contract has it.
 */
export function toContract(kind, value) {
  switch (kind) {
    case "decimal":
      return value.toString();
    case "uuid":
      return uuidToContract(value);
    case "date":
      return value.days;
    case "time":
      return BigInt(value.microseconds);
    case "timestamp":
      return Timestamp.from(value).microseconds;
    case "json":
      return value.text;
    default:
      return value;
  }
}
