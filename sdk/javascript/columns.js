// Columns in the contract's layout, Arrow's: made of values of JavaScript, and read cell by cell without being copied.

import { Decimal } from "./decimal.js";
import { DecodeError, InvalidError } from "./errors.js";
import { LocalDate, LocalTime, Timestamp } from "./time.js";
import { Json, kindOf, toContract, TypedValue, uuidOfContract } from "./values.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A text with all that is in it: the engine's decoder leaves out a U+FEFF at the beginning, and can't be told not to. */
export function decode(bytes) {
  const text = decoder.decode(bytes);
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? `\ufeff${text}` : text;
}

/**
 * The columns of rows, each an array with one value for each parameter; undefined if there is no row.
 */
export function columnsOf(rows) {
  const all = Array.isArray(rows) ? rows : Array.from(rows);
  if (all.length === 0) {
    return undefined;
  }
  const width = all[0].length;
  all.forEach((row, index) => {
    if (!Array.isArray(row) || row.length !== width) {
      throw new TypeError(`row ${index + 1} is no array of ${width} values, as row 1 is`);
    }
  });
  return Array.from({ length: width }, (_, column) =>
    columnOf(
      all.map((row) => row[column]),
      `column ${column + 1}`,
    ),
  );
}

/**
 * One column of values, which are null or all of one kind. Whole numbers beside others are floating-point numbers, beside
 * a `bigint` they are integers.
 *
 * @param kind Asked for by the caller; else it is the values' own, and text where all are null.
 */
export function columnOf(values, where, kind) {
  const items = Array.from(values);
  const kinds = items.map((value, index) => kindOf(plain(value), `value ${index + 1} of ${where}`));
  const found = new Set(kinds.map((found, index) => (found === "typed" ? items[index].tag : found)));
  found.delete("null");
  if (kind === undefined && items.length === 0) {
    throw new InvalidError(`${where} is an empty array, which has no kind; pass array("text", []) or the like`);
  }
  const common = kind ?? commonKind(found, where);
  if (kind !== undefined && [...found].some((other) => other !== kind && !(other === "whole" && ["int64", "float64"].includes(kind)))) {
    throw new InvalidError(`${where} is of the kind ${kind}, and holds ${[...found].join(" and ")}`);
  }
  const isNull = kinds.map((found, index) => found === "null" || (found === "typed" && items[index].tag === "null"));
  const contents = items.map((value, index) => (isNull[index] ? undefined : inContract(common, kinds[index], value)));
  return { validity: validityOf(isNull), values: { tag: common, val: pack(common, contents) } };
}

// Only a column as a whole is an array.
function plain(value) {
  if (Array.isArray(value) || (value instanceof TypedValue && value.tag === "array")) {
    throw new TypeError("an array in an array or in a column is not to be had; pass it as Json");
  }
  return value;
}

function commonKind(found, where) {
  if (found.has("whole")) {
    found.delete("whole");
    found.add(found.has("float64") ? "float64" : "int64");
  }
  if (found.size > 1) {
    throw new InvalidError(`${where} holds ${[...found].join(" and ")}; all its values are of one kind, or null`);
  }
  return [...found][0] ?? "text";
}

function inContract(common, kind, value) {
  if (kind === "typed") {
    return common === "float64" ? Number(value.val) : value.val;
  }
  if (kind === "whole") {
    return common === "int64" ? BigInt(value) : value;
  }
  return toContract(kind, value);
}

function validityOf(isNull) {
  if (!isNull.includes(true)) {
    return new Uint8Array(0);
  }
  const validity = new Uint8Array(Math.ceil(isNull.length / 8));
  isNull.forEach((none, row) => {
    if (!none) {
      validity[row >> 3] |= 1 << (row & 7);
    }
  });
  return validity;
}

// At a null, which is undefined here, the entry is the type's zero.
function pack(kind, contents) {
  switch (kind) {
    case "boolean":
      return contents.map((value) => value ?? false);
    case "int64":
    case "time":
    case "timestamp":
      return BigInt64Array.from(contents, (value) => value ?? 0n);
    case "float64":
      return Float64Array.from(contents, (value) => value ?? 0);
    case "date":
      return Int32Array.from(contents, (value) => value ?? 0);
    case "uuid":
      return contents.map((value) => value ?? { high: 0n, low: 0n });
    case "bytes":
      return packBytes(contents);
    default:
      return packTexts(contents);
  }
}

function packTexts(texts) {
  // One call of the encoder for all: where every character is one byte, the lengths of the texts are those of the bytes.
  const data = encoder.encode(texts.map((text) => text ?? "").join(""));
  const characters = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
  if (data.length !== characters) {
    return packBytes(texts.map((text) => text && encoder.encode(text)));
  }
  const offsets = new Uint32Array(texts.length + 1);
  texts.forEach((text, row) => {
    offsets[row + 1] = offsets[row] + (text?.length ?? 0);
  });
  return { offsets, data };
}

function packBytes(all) {
  const offsets = new Uint32Array(all.length + 1);
  all.forEach((bytes, row) => {
    offsets[row + 1] = offsets[row] + (bytes?.length ?? 0);
  });
  const data = new Uint8Array(offsets[all.length]);
  all.forEach((bytes, row) => {
    if (bytes?.length) {
      data.set(bytes, offsets[row]);
    }
  });
  return { offsets, data };
}

/**
 * Two functions of a row's index in the column: its cell as a value of JavaScript, null at a null, and as the contract has it.
 *
 * @param rowsBefore Rows of earlier batches, so that an error tells the row's number in the result.
 */
export function readersOf({ validity, values: { tag, val } }, { name }, rowsBefore) {
  const isNull = validity.length === 0 ? () => false : (row) => (validity[row >> 3] & (1 << (row & 7))) === 0;
  const content = contentReader(tag, val);
  const make = MAKERS[tag];
  const raw = (row) => (isNull(row) ? null : content(row));
  if (make === undefined) {
    return { read: raw, raw, kind: tag };
  }
  const read = (row) => {
    if (isNull(row)) {
      return null;
    }
    const value = content(row);
    const made = make(value);
    if (made === undefined) {
      throw new DecodeError(
        `column \`${name}\` of row ${rowsBefore + row + 1} holds ${value}, which is no ${CLASSES[tag]}; read it with Rows.typed, or cast it to text in the SQL`,
        name,
        rowsBefore + row + 1,
      );
    }
    return made;
  };
  return { read, raw, kind: tag };
}

const CLASSES = { decimal: "Decimal", time: "LocalTime" };

// What is not as it comes. Undefined: the class has no such value.
const MAKERS = {
  decimal: (text) => Decimal.parse(text),
  uuid: uuidOfContract,
  date: (days) => new LocalDate(days),
  time: (microseconds) => (microseconds >= 0n && microseconds <= 86_400_000_000n ? new LocalTime(Number(microseconds)) : undefined),
  timestamp: (microseconds) => new Timestamp(microseconds),
  json: (text) => new Json(text),
};

function contentReader(tag, val) {
  switch (tag) {
    case "bytes":
      // The bindings' own are of another realm, where Uint8Array is another one.
      return (row) => new Uint8Array(val.data.slice(val.offsets[row], val.offsets[row + 1]));
    case "decimal":
    case "text":
    case "json":
      return textReader(val);
    default:
      return (row) => val[row];
  }
}

// All texts are decoded at once when the first is asked for: each by itself would be a call of the decoder. Where a character is
// more than one byte, the offsets are no places in the text, and there is no way around.
function textReader({ offsets, data }) {
  let whole;
  return (row) => {
    whole ??= decode(data);
    const [start, end] = [offsets[row], offsets[row + 1]];
    return whole.length === data.length ? whole.slice(start, end) : decode(new Uint8Array(data.buffer, data.byteOffset + start, end - start));
  };
}
