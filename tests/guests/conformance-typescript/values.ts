// Values on both sides of the SDK: the script's become what a plugin would pass, and what a plugin reads becomes the script's
// again. Where JavaScript has no such value (`NaN` as a decimal, an odd spelling of a number), the SDK's lossless way is taken.

import { array, Decimal, DecodeError, float64, Json, LocalDate, LocalTime, Timestamp, typed, Uuid } from "#poolhouse";
import type { Cell, Kind, Parameter, Rows, Session, Transaction, TypedValue } from "#poolhouse";
import type { Batch, Column, Value } from "poolhouse:database/types@0.1.0";

import { isNull, isWellFormed, lengthOf } from "./layout.ts";

type Single = Cell | TypedValue;

/** The rows as the host laid them out, which the SDK keeps to itself. */
export function asLaidOut(rows: Rows): Batch {
  return (rows as unknown as { batch: Batch }).batch;
}

export function nativeParameters(values: Value[]): Parameter[] {
  return values.map((value) => (value.tag === "array" ? nativeArray(value.val) : native(value)));
}

function nativeArray(column: Column): Parameter {
  return isWellFormed(column, lengthOf(column)) && isText(column) ? array(column.values.tag, nativeColumn(column)) : typed("array", column);
}

/** Rows of the columns through the SDK; columns that are no rows, as a plugin could not pass them, through its handle. */
export function executeMany(on: Session | Transaction, sql: string, columns: Column[]): number {
  const rows = columns[0] === undefined ? 0 : lengthOf(columns[0]);
  if (rows > 0 && columns.every((column) => isWellFormed(column, rows) && isText(column))) {
    const all = columns.map(nativeColumn);
    return on.executeMany(
      sql,
      Array.from({ length: rows }, (_, row) => all.map((values) => values[row]!)),
    );
  }
  const inside = on as unknown as {
    handle(): { executeMany(sql: string, columns: Column[]): bigint };
    run<T>(call: () => T): T;
  };
  return Number(inside.run(() => inside.handle().executeMany(sql, columns)));
}

function nativeColumn(column: Column): Single[] {
  return Array.from({ length: lengthOf(column) }, (_, row) => (isNull(column.validity, row) ? null : native(entry(column, row))));
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Whether its texts are UTF-8, as whatever JavaScript makes of its own texts is. */
function isText({ values: { tag, val } }: Column): boolean {
  if (tag !== "decimal" && tag !== "text" && tag !== "json") {
    return true;
  }
  try {
    // One by one: two halves of a character make a whole one, and neither is a text.
    for (let row = 0; row + 1 < val.offsets.length; row++) {
      decoder.decode(val.data.slice(val.offsets[row], val.offsets[row + 1]));
    }
    return true;
  } catch {
    return false;
  }
}

function entry({ values: { tag, val } }: Column, row: number): Value {
  if (tag === "decimal" || tag === "text" || tag === "json") {
    const bytes = val.data.slice(val.offsets[row], val.offsets[row + 1]);
    // The decoder leaves out a U+FEFF at the beginning.
    const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return { tag, val: (isMarked ? "\ufeff" : "") + decoder.decode(bytes) };
  }
  return { tag, val: tag === "bytes" ? val.data.slice(val.offsets[row], val.offsets[row + 1]) : val[row] } as Value;
}

function native(value: Exclude<Value, { tag: "array" }>): Single;
function native(value: Value): Single;
function native(value: Value): Single {
  switch (value.tag) {
    case "null":
      return null;
    case "float64":
      return float64(value.val);
    case "decimal": {
      const decimal = Decimal.parse(value.val);
      return decimal?.toString() === value.val ? decimal : typed("decimal", value.val);
    }
    case "uuid":
      return new Uuid([value.val.high, value.val.low].map((half) => half.toString(16).padStart(16, "0")).join(""));
    case "date":
      return new LocalDate(value.val);
    case "time":
      return value.val >= 0n && value.val <= 86_400_000_000n ? new LocalTime(Number(value.val)) : typed("time", value.val);
    case "timestamp":
      return new Timestamp(value.val);
    case "json":
      return new Json(value.val);
    case "array":
      throw new Error("an array is no single value");
    default:
      return value.val;
  }
}

/** The batch's cells, row by row, each read as a plugin reads it. */
export function contractRows(rows: Rows): Value[][] {
  return Array.from({ length: rows.length }, (_, row) => rows.columns.map(({ kind }, column) => contractValue(rows, row, column, kind)));
}

function contractValue(rows: Rows, row: number, column: number, kind: Kind): Value {
  let cell: Cell;
  try {
    cell = rows.cell(row, column);
  } catch (error) {
    if (!(error instanceof DecodeError)) {
      throw error;
    }
    const { kind, value } = rows.typed(row, column);
    return { tag: kind, val: value } as Value;
  }
  return cell === null ? { tag: "null" } : ({ tag: kind, val: inContract(cell) } as Value);
}

function inContract(cell: NonNullable<Cell>): unknown {
  if (cell instanceof Decimal) {
    return cell.toString();
  }
  if (cell instanceof Uuid) {
    const digits = cell.toString().replaceAll("-", "");
    return { high: BigInt(`0x${digits.slice(0, 16)}`), low: BigInt(`0x${digits.slice(16)}`) };
  }
  if (cell instanceof LocalDate) {
    return cell.days;
  }
  if (cell instanceof LocalTime) {
    return BigInt(cell.microseconds);
  }
  if (cell instanceof Timestamp) {
    return cell.microseconds;
  }
  return cell instanceof Json ? cell.text : cell;
}
