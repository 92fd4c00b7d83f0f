"""A strategy that makes the mistake that its row asks for, at its third bar."""

from poolhouse import Failure, export
from poolhouse.strategy import Description, Parameters, Strategy, text


@export
class Mistakes(Strategy):
    description = Description("Makes a mistake.", text("mistake", "Which"))

    def __init__(self, parameters: Parameters) -> None:
        self.mistake = parameters.text("mistake")
        self.bars = 0

    def warm_up_bars(self) -> int:
        return 0

    def on_bar(self, bar):
        self.bars += 1
        if self.bars < 3:
            return []
        if self.mistake == "error":
            raise Failure("the market is closed")
        if self.mistake == "exception":
            raise KeyError("no such price")
        if self.mistake == "wrong-type":
            return "buy"
        if self.mistake == "loop":
            while True:
                pass
        if self.mistake == "memory":
            kept = []
            while True:
                kept.append(bytearray(1 << 20))
        return []
