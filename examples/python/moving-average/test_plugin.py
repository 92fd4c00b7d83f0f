"""The strategy against its definition, natively; the host is not needed. Run `python3 -m unittest` in this folder."""

import random
import unittest

from poolhouse import Failure
from poolhouse.strategy import Bar, Parameters, Side

from plugin import MovingAverage


def signals(strategy: MovingAverage, symbol: str, closes: list[float]) -> list[list[Side]]:
    bars = (Bar(symbol, time, close, close, close, close, 1.0) for time, close in enumerate(closes))
    return [[signal.side for signal in strategy.on_bar(bar)] for bar in bars]


def definition(fast: int, slow: int, closes: list[float]) -> list[list[Side]]:
    """What the strategy is to say, worked out over the whole series with nothing remembered."""

    def mean(end: int, bars: int) -> float:
        total = 0.0
        for close in closes[end - bars : end]:
            total += close
        return total / bars

    def difference(end: int) -> float:
        return mean(end, fast) - mean(end, slow) if end >= slow else float("nan")

    sides = []
    for end in range(1, len(closes) + 1):
        before, now = difference(end - 1), difference(end)
        sides.append([Side.BUY] if before <= 0 < now else [Side.SELL] if before >= 0 > now else [])
    return sides


def walk(seed: int, step: float, bars: int) -> list[float]:
    """Closes in multiples of the step, so that averages are often equal."""
    steps, close, closes = random.Random(seed), 100.0, []
    for _ in range(bars):
        close += steps.randint(-4, 4) * step
        closes.append(close)
    return closes


class MovingAverageTest(unittest.TestCase):
    def test_it_trades_at_crossings_only(self):
        strategy = MovingAverage(Parameters(fast=1, slow=3))
        said = signals(strategy, "A", [3.0, 2.0, 1.0, 4.0, 4.0, 4.0, 1.0, 1.0])
        self.assertEqual(said, [[], [], [], [Side.BUY], [], [], [Side.SELL], []])

    def test_it_agrees_with_its_definition(self):
        for seed in range(20):
            for fast, slow in [(1, 2), (2, 5), (5, 20), (7, 64)]:
                closes = walk(seed, 0.01 if seed % 2 else 0.5, 300)
                strategy = MovingAverage(Parameters(fast=fast, slow=slow))
                self.assertEqual(signals(strategy, "A", closes), definition(fast, slow, closes))

    def test_symbols_are_kept_apart(self):
        strategy = MovingAverage(Parameters(fast=3, slow=8))
        series = {"A": walk(1, 0.01, 200), "B": walk(2, 0.01, 200)}
        said = {"A": [], "B": []}
        for closes in zip(series["A"], series["B"]):
            for symbol, close in zip("AB", closes):
                said[symbol] += signals(strategy, symbol, [close])
        for symbol, closes in series.items():
            self.assertEqual(said[symbol], definition(3, 8, closes))

    def test_the_warm_up_rebuilds_everything(self):
        closes = walk(3, 0.01, 400)
        whole = definition(4, 9, closes)
        for end in range(10, len(closes), 17):
            strategy = MovingAverage(Parameters(fast=4, slow=9))
            signals(strategy, "A", closes[end - strategy.warm_up_bars() : end])
            self.assertEqual(signals(strategy, "A", closes[end:]), whole[end:])

    def test_wrong_parameters_are_sentences(self):
        for fast, slow, words in [
            (30, 10, "fast must be less than slow"),
            (0, 10, "1 or more"),
            (1, 10_001, "10000 or less"),
        ]:
            with self.assertRaisesRegex(Failure, words):
                MovingAverage(Parameters(fast=fast, slow=slow))


if __name__ == "__main__":
    unittest.main()
