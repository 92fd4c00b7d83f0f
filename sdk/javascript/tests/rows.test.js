// Values to columns and back: kinds, nulls, what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";

import { columnOf } from "../columns.js";
import { array, Decimal, DecodeError, float64, InvalidError, Json, LocalDate, LocalTime, RowCountError, Rows, Timestamp, typed, Uuid } from "../index.js";
import { toValue } from "../values.js";

const SAMPLES = {
  boolean: true,
  int64: 9007199254740993n,
  float64: 0.1,
  decimal: new Decimal("1.50"),
  text: "é",
  bytes: new Uint8Array([0, 255]),
  uuid: new Uuid("0123456789abcdef0011223344556677"),
  date: LocalDate.of(2024, 2, 29),
  time: LocalTime.from("24:00:00"),
  timestamp: Timestamp.from("2024-02-29T12:00:00.000001Z"),
  json: new Json("[1,  2]"),
};

test("every kind comes back as it went", () => {
  for (const [kind, value] of Object.entries(SAMPLES)) {
    const rows = Rows.of({ v: [null, value, null, value] });
    assert.equal(rows.columns[0].kind, kind);
    assert.deepEqual(rows.scalars(), [null, value, null, value]);
    assert.deepEqual(rows.all()[1], { v: value });
    // What is read in the contract's form can be passed again.
    assert.deepEqual(Rows.of({ v: [rows.typed(1, "v"), rows.typed(0, "v")] }).scalars(), [value, null]);
  }
});

test("numbers take the kind that holds them", () => {
  const kinds = (...values) => values.map((value) => toValue(value, "parameter $1").tag);
  assert.deepEqual(kinds(1, -(2 ** 53 - 1), 2 ** 53, 0.5, -0, NaN, 1n, float64(1), new Date(0), null), [
    "int64", "int64", "float64", "float64", "float64", "float64", "int64", "float64", "timestamp", "null",
  ]);
  const column = (...values) => columnOf(values, "column 1").values;
  assert.deepEqual(column(1, 2n), { tag: "int64", val: BigInt64Array.of(1n, 2n) });
  assert.deepEqual(column(1, 2.5), { tag: "float64", val: Float64Array.of(1, 2.5) });
  assert.equal(column(null, null).tag, "text");
});

test("texts are packed, of one byte a character or of more", () => {
  const packed = (...texts) => columnOf(texts, "column 1").values.val;
  assert.deepEqual(packed("ab", null, "", "c"), { offsets: Uint32Array.of(0, 2, 2, 2, 3), data: new TextEncoder().encode("abc") });
  assert.deepEqual(packed("é", "x"), { offsets: Uint32Array.of(0, 2, 3), data: new TextEncoder().encode("éx") });
  assert.deepEqual(Rows.of({ v: ["é", "", "x€y", null] }).scalars(), ["é", "", "x€y", null]);
});

test("validity is Arrow's", () => {
  const nulls = Array.from({ length: 17 }, (_, row) => (row % 3 === 2 ? null : row));
  assert.deepEqual([...columnOf(nulls, "column 1").validity], [0b11011011, 0b10110110, 0b1]);
  assert.equal(columnOf([1, 2], "column 1").validity.length, 0);
});

test("what has no exact value is refused, and told", () => {
  const refused = (value, error, words) => assert.throws(() => toValue(value, "parameter $2"), (thrown) => thrown instanceof error && words.test(thrown.message));
  refused(undefined, TypeError, /parameter \$2 is undefined; pass null for NULL/);
  refused({}, TypeError, /Json\.of/);
  refused(2n ** 63n, InvalidError, /does not fit 64 bits/);
  refused("\ud800", InvalidError, /surrogate/);
  refused(new Date(NaN), InvalidError, /invalid Date/);
  refused([], InvalidError, /array\("text", \[\]\)/);
  refused(["a", 1], InvalidError, /text and int64|int64 and text/);
  refused([["a"]], TypeError, /array in an array/);
  assert.throws(() => array("int64", ["x"]), InvalidError);
  assert.deepEqual(array("int64", []).val.values, { tag: "int64", val: new BigInt64Array(0) });
});

test("a cell that its class can't hold names its column and row", () => {
  const rows = Rows.of({ price: [new Decimal("1"), typed("decimal", "NaN")] });
  assert.throws(() => rows.all(), (error) => error instanceof DecodeError && error.row === 2 && error.message.startsWith("column `price` of row 2 holds NaN, which is no Decimal"));
  assert.equal(rows.typed(1, "price").value, "NaN");
});

test("one row is one row", () => {
  const rows = Rows.of({ n: [1n, 2n], t: ["a", "b"] });
  assert.throws(() => rows.one(), RowCountError);
  assert.throws(() => rows.optional(), RowCountError);
  assert.throws(() => rows.scalars(), DecodeError);
  assert.throws(() => rows.cell(0, "x"), /there is no column `x`; the result has `n`, `t`/);
  assert.deepEqual([rows.at(-1), rows.at(2), rows.arrays()], [{ n: 2n, t: "b" }, undefined, [[1n, "a"], [2n, "b"]]]);
  const none = Rows.of({ n: [] });
  assert.deepEqual([none.optional(), none.scalarOptional(), none.all()], [undefined, undefined, []]);
  assert.throws(() => none.scalar(), RowCountError);
});
