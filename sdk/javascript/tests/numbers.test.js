// Decimals, times and windows: what they print, read and compute.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Decimal, LocalDate, LocalTime, Timestamp, Window } from "../index.js";

test("decimals are exact and keep their scale", () => {
  const cases = [
    [new Decimal("1.50").add("1"), "2.50"],
    [new Decimal("101.10").multiply(3), "303.30"],
    [new Decimal("1").subtract("1.000"), "0.000"],
    [new Decimal("-0.00"), "0.00"],
    [new Decimal("007.10"), "7.10"],
    [new Decimal(2n ** 80n), "1208925819614629174706176"],
    [Decimal.scaled(-5, 3), "-0.005"],
    [Decimal.sum(["0.1", "0.2", 1]), "1.3"],
    [Decimal.shortest(1e-7), "0.0000001"],
    [Decimal.shortest(1.5e21), "1500000000000000000000"],
    [new Decimal(10).divide(3, 2, "half-even"), "3.33"],
    [new Decimal("1").divide("-8", 2, "half-even"), "-0.12"],
    [new Decimal("1").divide("-8", 2, "half-up"), "-0.13"],
  ];
  for (const [decimal, text] of cases) {
    assert.equal(decimal.toString(), text);
  }
  const rounded = { "half-even": "2.34", "half-up": "2.35", down: "2.34", up: "2.35", floor: "2.34", ceiling: "2.35" };
  for (const [rounding, text] of Object.entries(rounded)) {
    assert.equal(new Decimal("2.345").round(2, rounding).toString(), text, rounding);
  }
  assert.equal(new Decimal("-2.345").round(2, "floor").toString(), "-2.35");
  assert.equal(new Decimal("2.345").round(5, "down").toString(), "2.34500");
});

test("decimals compare by number, and never by accident", () => {
  assert.ok(new Decimal("1.5").equals("1.50"));
  assert.deepEqual(["10", "9.5", "-1"].map((text) => new Decimal(text)).sort((a, b) => a.compare(b)).map(String), ["-1", "9.5", "10"]);
  assert.throws(() => new Decimal(1) < new Decimal(2), TypeError);
  assert.equal(new Decimal("3.00").toBigInt(), 3n);
  assert.throws(() => new Decimal("3.01").toBigInt(), RangeError);
});

test("what is no decimal is refused", () => {
  for (const text of ["", "-", ".5", "5.", "1e5", "+1", " 1", "NaN", "Infinity", "1_000", "0x10"]) {
    assert.equal(Decimal.parse(text), undefined, text);
    assert.throws(() => new Decimal(text), RangeError, text);
  }
  assert.throws(() => new Decimal(0.1), RangeError);
  assert.throws(() => new Decimal(1).divide(0, 2, "down"), RangeError);
});

test("days are those of the calendar", () => {
  const days = { "1970-01-01": 0, "1969-12-31": -1, "2000-02-29": 11016, "0000-03-01": -719468, "+10000-01-01": 2932897, "-0001-12-31": -719529 };
  for (const [text, number] of Object.entries(days)) {
    assert.equal(LocalDate.from(text).days, number);
    assert.equal(new LocalDate(number).toString(), text);
  }
  const { year, month, day } = new LocalDate(19782);
  assert.deepEqual([year, month, day], [2024, 2, 29]);
  assert.throws(() => LocalDate.of(2023, 2, 29), RangeError);
});

test("the whole range of timestamps is printed and read back", () => {
  let state = 1n;
  for (let round = 0; round < 2000; round++) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1n);
    const number = BigInt.asIntN(64, state) >> BigInt(round % 60);
    const timestamp = new Timestamp(number);
    assert.equal(Timestamp.tryFrom(String(timestamp)).microseconds, number);
    assert.equal(Timestamp.of(timestamp.date, timestamp.time).microseconds, number);
    const time = new LocalTime(Number(((number % 86400000001n) + 86400000001n) % 86400000001n));
    assert.equal(LocalTime.from(String(time)).microseconds, time.microseconds);
  }
  assert.equal(String(Timestamp.tryFrom("infinity")), "infinity");
  assert.ok(Number.isNaN(Timestamp.INFINITY.getTime()) && !Timestamp.INFINITY.isFinite);
});

test("a timestamp is a date that does not change", () => {
  const timestamp = Timestamp.from("1970-01-01T00:00:00.0015Z");
  assert.ok(timestamp instanceof Date);
  assert.deepEqual([timestamp.getTime(), timestamp.microseconds, JSON.stringify(timestamp)], [1, 1500n, '"1970-01-01T00:00:00.0015Z"']);
  assert.equal(new Timestamp(-1n).getTime(), -1);
  assert.throws(() => timestamp.setFullYear(2000), TypeError);
  assert.equal(String(timestamp.plus(500)), "1970-01-01T00:00:00.002Z");
});

test("zones and fractions are read strictly", () => {
  assert.equal(Timestamp.from("1969-12-31T18:30:00.5-05:30").microseconds, 500000n);
  assert.equal(Timestamp.from("1970-01-01 24:00:00z").microseconds, 86400000000n);
  for (const text of ["1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00Z", "1970-01-01T24:00:00.1Z", "1970-01-01T00:00:00.0000001Z", "1970-02-29T00:00:00Z", "1970-01-01T00:00:00+24:00"]) {
    assert.equal(Timestamp.tryFrom(text), undefined, text);
  }
});

test("a window is the end of the series", () => {
  const series = Array.from({ length: 400 }, (_, i) => ((i * 7919) % 101) / 7 - 5);
  for (const length of [1, 2, 3, 7, 8, 9, 40, 100]) {
    const window = new Window(length);
    series.forEach((number, i) => {
      window.push(number);
      const end = series.slice(Math.max(0, i + 1 - length), i + 1);
      assert.deepEqual([...window.values()], end);
      assert.equal(window.isFull, end.length === length);
      assert.equal(window.sum(), end.reduce((sum, number) => sum + number, 0));
      assert.equal(window.maximum(), Math.max(...end));
      assert.equal(window.minimum(), Math.min(...end));
      const three = end.slice(-3);
      assert.equal(window.meanOfNewest(3), length >= 3 && three.length === 3 ? (three[0] + three[1] + three[2]) / 3 : undefined);
    });
  }
});
