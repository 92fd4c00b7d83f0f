// Looks at columns as the contract lays them out, and trusts no layout: a wrong one is a trap.

import type { Batch, Column, Packed, Values } from "poolhouse:database/types@0.1.0";

/**
 * One entry a row, a validity bitmap of the right length or none, offsets that rise from 0 to the data's end; at a null the entry
 * is the type's zero, and takes no bytes.
 */
export function check({ rows, columns }: Batch): void {
  for (const { validity, values } of columns) {
    const offsets = packed(values)?.offsets;
    holds((offsets ? offsets.length - 1 : (values.val as ArrayLike<unknown>).length) === rows, "a column's entries are its rows");
    holds(validity.length === 0 || validity.length === Math.ceil(rows / 8), `a validity bitmap of ${validity.length} bytes for ${rows} rows`);
    if (offsets !== undefined) {
      holds(offsets[0] === 0, "offsets start with 0");
      holds(
        offsets.every((end, row) => row === 0 || offsets[row - 1]! <= end),
        "offsets rise",
      );
      holds(offsets[rows] === packed(values)!.data.length, "offsets end with the data");
    }
    for (let row = 0; row < rows; row++) {
      holds(!isNull(validity, row) || isZero(values, row), `the entry of a null in row ${row} is not the type's zero`);
    }
  }
}

/** Whether the layout is one that values can be taken out of. */
export function isWellFormed({ validity, values }: Column, rows: number): boolean {
  try {
    check({ rows, columns: [{ validity, values }] });
    return true;
  } catch {
    return false;
  }
}

export function lengthOf({ values }: Column): number {
  return packed(values) ? packed(values)!.offsets.length - 1 : (values.val as ArrayLike<unknown>).length;
}

/** The sum of all int64 values and of all bytes of texts, wrapping. */
export function checksum({ columns }: Batch): bigint {
  let sum = 0n;
  for (const { values } of columns) {
    if (values.tag === "int64") {
      values.val.forEach((value) => {
        sum += value;
      });
    } else if (values.tag === "text") {
      let bytes = 0;
      values.val.data.forEach((byte) => {
        bytes += byte;
      });
      sum += BigInt(bytes);
    }
  }
  return BigInt.asUintN(64, sum);
}

export function isNull(validity: Uint8Array, row: number): boolean {
  return validity.length > 0 && (validity[row >> 3]! & (1 << (row & 7))) === 0;
}

function isZero(values: Values, row: number): boolean {
  const text = packed(values);
  if (text !== undefined) {
    return text.offsets[row] === text.offsets[row + 1];
  }
  if (values.tag === "uuid") {
    return values.val[row]!.high === 0n && values.val[row]!.low === 0n;
  }
  const value = (values.val as ArrayLike<boolean | number | bigint>)[row]!;
  return typeof value === "number" ? Object.is(value, 0) : !value;
}

function packed({ tag, val }: Values): Packed | undefined {
  return tag === "decimal" || tag === "text" || tag === "bytes" || tag === "json" ? val : undefined;
}

function holds(condition: boolean, what: string): void {
  if (!condition) {
    throw new Error(what);
  }
}
