"""Windows, parameters, bars and descriptions."""

import math
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from poolhouse import Failure
from poolhouse.strategy import Bar, Description, Parameters, PerSymbol, Window, boolean, integer, number, text


class WindowTest(unittest.TestCase):
    def test_it_is_the_end_of_the_series(self):
        series = [float((at * 7919) % 101) - 50.0 for at in range(50)]
        for length in range(1, 8):
            window = Window(length)
            self.assertEqual((window.maximum(), window.minimum()), (-math.inf, math.inf))
            for at, value in enumerate(series):
                window.push(value)
                end = series[max(0, at + 1 - length) : at + 1]
                self.assertEqual(window.numbers(), end)
                self.assertEqual(window.is_full(), len(end) == length)
                self.assertEqual((window.maximum(), window.minimum()), (max(end), min(end)))
                self.assertEqual(window.newest(2), end[-2:])
                self.assertEqual(window.mean_of_newest(length) is not None, len(end) == length)
                self.assertIsNone(window.mean_of_newest(length + 1))
                self.assertIsNone(window.mean_of_newest(0))

    def test_sums_are_taken_one_after_the_other(self):
        numbers = [0.1] * 10 + [1e16, 1.0, -1e16]
        window, total = Window(len(numbers)), 0.0
        for each in numbers:
            window.push(each)
            total += each
        self.assertEqual(window.sum(), total)
        self.assertEqual(window.mean_of_newest(len(numbers)), total / len(numbers))
        self.assertIs(type(window.sum()), float)

    def test_memory_does_not_grow(self):
        window = Window(30)
        for at in range(10_000):
            window.push(float(at))
        self.assertLessEqual(len(window._numbers), 60)


class ParametersTest(unittest.TestCase):
    def test_getters_parse(self):
        given = Parameters({"fast": "10", "factor": "2.50", "venue": "paper"}, short=True, below=-1)
        self.assertEqual(given.integer("fast"), 10)
        self.assertEqual(given.integer("below"), -1)
        self.assertEqual(given.number("factor"), 2.5)
        self.assertEqual(str(given.decimal("factor")), "2.50")
        self.assertEqual(given.text("venue"), "paper")
        self.assertIs(given.boolean("short"), True)

    def test_errors_are_sentences_that_name_the_parameter(self):
        given = Parameters(factor="2.5", never="nan", large=2**63, odd="1_0", venue="paper", money="1e5")
        for read, sentence in [
            (lambda: given.integer("slow"), "parameter `slow` is missing; give it in the strategy row"),
            (lambda: given.integer("factor"), "parameter `factor` is `2.5`; it must be a whole number"),
            (lambda: given.integer("large"), "parameter `large` is 9223372036854775808, which is out of range"),
            (lambda: given.number("never"), "parameter `never` is `nan`; it must be a finite number"),
            (lambda: given.number("odd"), "parameter `odd` is `1_0`; it must be a number"),
            (lambda: given.decimal("money"), "parameter `money` is `1e5`; it must be a decimal number"),
            (lambda: given.boolean("venue"), "parameter `venue` is `paper`; it must be `true` or `false`"),
        ]:
            with self.assertRaises(Failure) as raised:
                read()
            self.assertEqual(str(raised.exception), sentence)


class BarTest(unittest.TestCase):
    def test_a_time_is_either(self):
        time = datetime(2024, 2, 29, 12, 0, 0, 1, timezone(timedelta(hours=1)))
        of_time = Bar("A", time, 1.0, 1.0, 1.0, 1.0, 1.0)
        of_microseconds = Bar("A", of_time.microseconds, 1.0, 1.0, 1.0, 1.0, 1.0)
        self.assertEqual(of_time.microseconds, 1709204400000001)
        self.assertEqual(of_microseconds.time, time)
        self.assertEqual(of_microseconds.time.tzinfo, timezone.utc)
        self.assertRaises(OverflowError, lambda: Bar("A", 2**63 - 1, 1.0, 1.0, 1.0, 1.0, 1.0).time)


class DescriptionTest(unittest.TestCase):
    def test_numbers_are_written_without_exponents(self):
        shown = Description(
            "x",
            integer("fast", "Bars", minimum=1, maximum=10**15, default=10),
            number("factor", "Times", minimum=1e-7, maximum=Decimal("1E+3"), default=0.1),
            text("venue", "Where", default="paper"),
            boolean("short", "Whether to sell first", default=False),
        ).parameters
        self.assertEqual(
            [each[3:] for each in shown],
            [
                ("1", "1000000000000000", "10"),
                ("0.0000001", "1000", "0.1"),
                (None, None, "paper"),
                (None, None, "false"),
            ],
        )

    def test_no_name_twice(self):
        with self.assertRaisesRegex(ValueError, "`a` twice"):
            Description("x", integer("a", "x"), text("a", "y"))


class PerSymbolTest(unittest.TestCase):
    def test_symbols_do_not_share(self):
        seen = PerSymbol(list)
        for symbol in ("A", "B", "A"):
            seen[symbol].append(symbol)
        self.assertEqual(seen, {"A": ["A", "A"], "B": ["B"]})


if __name__ == "__main__":
    unittest.main()
