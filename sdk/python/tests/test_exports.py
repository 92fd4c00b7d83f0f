"""What plugins export, and how answers become the contract's; the glue around it is tried by building plugins."""

import unittest
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Generic, List, Optional, Tuple, TypeVar, Union

from poolhouse import Migration, _exports, export, export_migrations
from poolhouse._lower import lowering
from poolhouse._shapes import checked
from poolhouse.strategy import Strategy


class Colour(Enum):
    RED = 0
    DARK_BLUE = 1


@dataclass
class Point:
    x: int
    name: Optional[str]
    colour: Colour


@dataclass
class Shape_Dot:
    pass


@dataclass
class Shape_Circle:
    value: float


@dataclass
class Shape_BigNumber:
    value: int


Shape = Union[Shape_Dot, Shape_Circle]


T = TypeVar("T")


@dataclass
class Some(Generic[T]):
    value: T


class Mine:
    x, name, colour = 1, None, "dark-blue"


class LoweringTest(unittest.TestCase):
    def test_answers_that_fit(self):
        for annotation, answer, lowered in [
            (str, Decimal("1E+2"), "100"),
            (int, 7, 7),
            (float, 7, 7.0),
            (bytes, bytearray(b"x"), b"x"),
            (Optional[str], None, None),
            (List[int], (each for each in (1, 2)), [1, 2]),
            (Tuple[int, str], [1, "x"], (1, "x")),
            (Point, Mine(), Point(1, None, Colour.DARK_BLUE)),
            (List[Point], [Mine()], [Point(1, None, Colour.DARK_BLUE)]),
            (Shape, Shape_Circle(2), Shape_Circle(2.0)),
            (Optional[Shape], Shape_Dot(), Shape_Dot()),
            (List[Union[Some[int], Shape_Dot]], [Some(5)], [Some(5)]),
            (type(None), None, None),
        ]:
            self.assertEqual(lowering(annotation, "f answers")(answer), lowered)

    def test_answers_that_do_not(self):
        for annotation, answer, sentence in [
            (str, 7, "f answers 7; it must be a string"),
            (int, True, "f answers True; it must be an integer"),
            (type(None), 7, "f answers 7; it must be None"),
            (List[int], "12", "f answers '12'; it must be a list"),
            (List[str], [1], "f answers 1; it must be a string"),
            (Tuple[int, int], (1,), "f answers (1,); it must be a tuple of 2"),
            (Colour, "green", "f answers 'green'; it must be one of red, dark-blue"),
            (Point, Point("x", None, Colour.RED), "f answers a Point whose `x` is 'x'; it must be an integer"),
            (Point, 7, "f answers 7; a Point has `x`, `name`, `colour`, too"),
            (Shape, 1.5, "f answers 1.5; it must be one of Shape_Dot, Shape_Circle"),
        ]:
            with self.assertRaises(TypeError) as raised:
                lowering(annotation, "f answers")(answer)
            self.assertEqual(str(raised.exception), sentence)


class Ok:
    def __init__(self, value):
        self.value = value


class ShapeTest(unittest.TestCase):
    def test_answers_that_fit(self):
        for shape, answer in [
            (None, object()),
            ("u8", 255),
            ("s64", -(2**63)),
            ("u64", 2**64 - 1),
            ("string", "ä€🙂"),
            ("bool", True),
            ({"option": "u8"}, None),
            ({"option": {"option": "u8"}}, Ok(7)),
            ({"option": {"option": "u8"}}, Ok(None)),
            ({"list": "u8"}, b"\xff"),
            ({"list": "s8"}, [-128, 127]),
            ({"record": {"x": "u8", "name": {"option": "string"}}}, Point(1, None, Colour.RED)),
            ({"variant": {"dot": None, "circle": "f64"}}, Shape_Circle(1e300)),
            ({"result": {"ok": "u8", "err": "string"}}, Ok(1)),
        ]:
            self.assertIs(checked("f answers", shape, answer), answer)

    def test_answers_that_do_not(self):
        for shape, answer, sentence in [
            ("u32", -1, "f answers -1; it must be a whole number from 0 to 4294967295"),
            ("s64", 2**63, f"f answers {2**63}; it must be a whole number from {-(2**63)} to {2**63 - 1}"),
            ({"option": "u8"}, 256, "f answers 256; it must be a whole number from 0 to 255"),
            ({"list": {"tuple": ["s8", "u8"]}}, [(1, 2), (1, -2)], "f answers -2; it must be"),
            ({"record": {"x": "u8"}}, Point(256, None, Colour.RED), "f answers 256; it must be"),
            ({"variant": {"circle": "u8"}}, Shape_Circle(-1), "f answers -1; it must be"),
            ({"variant": {"big-number": "u8"}}, Shape_BigNumber(-1), "f answers -1; it must be"),
            ({"option": {"option": "u8"}}, Ok(256), "f answers 256; it must be"),
            ({"result": {"ok": "u8", "err": None}}, Ok(-1), "f answers -1; it must be"),
            ("string", "a\ud800", "f answers 'a\\ud800' has half of a surrogate pair"),
        ]:
            with self.assertRaises(TypeError) as raised:
                checked("f answers", shape, answer)
            self.assertTrue(str(raised.exception).startswith(sentence), str(raised.exception))


class ExportTest(unittest.TestCase):
    def setUp(self):
        _exports.exported.clear()
        self.addCleanup(_exports.exported.clear)

    def test_interfaces_have_the_names_of_their_classes(self):
        @export
        class OrderBook:
            pass

        @export("quotes")
        class Whatever:
            pass

        @export
        class Cross(Strategy):
            pass

        self.assertEqual(_exports.exported, {"order-book": OrderBook, "quotes": Whatever, "strategy": Cross})
        with self.assertRaisesRegex(TypeError, "`quotes` is exported by .*Whatever and by .*OrderBook"):
            export("quotes")(OrderBook)
        with self.assertRaisesRegex(TypeError, "stands before a class"):
            export(7)

    def test_migrations_are_told_by_dialect(self):
        export_migrations(
            Migration(number=1, name="t", tables={"t": ["a"]}, sqlite=["S"], postgresql=["P"]),
            Migration(number=2, name="u", tables={}, sqlite=[], postgresql=["Q"]),
        )
        told = _exports.exported["migrations"]().migrations(Enum("Dialect", ["SQLITE", "POSTGRESQL"]).POSTGRESQL)
        self.assertEqual([(step.number, step.statements) for step in told], [(1, ["P"]), (2, ["Q"])])
        self.assertEqual((told[0].tables[0].name, told[0].tables[0].columns), ("t", ["a"]))
        with self.assertRaisesRegex(ValueError, "rise from 1"):
            export_migrations(*[Migration(number=2, name="", tables={}, sqlite=[], postgresql=[])] * 2)
        with self.assertRaisesRegex(TypeError, "a list of statements"):
            export_migrations(Migration(number=1, name="", tables={}, sqlite="S", postgresql=[]))


if __name__ == "__main__":
    unittest.main()
