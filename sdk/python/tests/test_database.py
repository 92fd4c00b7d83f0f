"""Statements, rows, values, transactions and cursors, on the stand-in that plugins' tests have."""

import decimal
import unittest
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple, Optional
from uuid import UUID

from poolhouse import database, decimals
from poolhouse.database import Array, Exact, Json, Rows, _columns, _contract, _errors, _parameters
from poolhouse.testing import Database, _contract_types

WHEN = datetime(2024, 2, 29, 12, 0, 0, 1, timezone.utc)
VALUES = [
    True,
    2**63 - 1,
    0.1,
    Decimal("-12345678901234567890123456789012345678.50"),
    "Grüße 🌍",
    b"\0\xff",
    UUID(int=2**128 - 2),
    date(1, 1, 1),
    time(23, 59, 59, 999999),
    WHEN,
    Json('{"a": 1.50}'),
]
DECLARED = (
    "a BOOLEAN, b BIGINT, c REAL, d DECIMAL_TEXT, e TEXT, f BLOB, g UUID_TEXT, h DATE, i TIME, j TIMESTAMP, k JSON_TEXT"
)


@dataclass
class Account:
    name: str
    balance: Decimal
    note: Optional[str] = None


class Pair(NamedTuple):
    name: str
    balance: Exact


class DatabaseTest(unittest.TestCase):
    def setUp(self):
        self.database = Database()
        self.database.__enter__()
        self.addCleanup(self.database.__exit__)
        self.connection = self.database._host.connection
        self.db = database.session()

    def accounts(self):
        self.connection.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, balance DECIMAL_TEXT, note TEXT)")
        self.db.execute_many(
            "INSERT INTO accounts VALUES ($1, $2, $3)",
            [("alice", Decimal("1.50"), None), ("bob", 2, "x"), ("carol", None, None)],
        )

    def test_every_kind_comes_back_as_it_went(self):
        self.connection.execute(f"CREATE TABLE t ({DECLARED})")
        insert = f"INSERT INTO t VALUES ({', '.join(f'${at}' for at in range(1, 12))})"
        self.assertEqual(self.db.execute(insert, VALUES), 1)
        self.assertEqual(self.db.execute_many(insert, [[None] * 11, VALUES]), 2)
        rows = self.db.query("SELECT * FROM t ORDER BY rowid")
        self.assertEqual(list(rows), [tuple(VALUES), (None,) * 11, tuple(VALUES)])
        self.assertEqual([type(cell) for cell in rows[0]], [type(value) for value in VALUES])
        self.assertEqual([info.kind for info in rows.columns], list(_columns.KINDS))
        exact = [rows[0]._exact(at) for at in range(11)]
        self.assertEqual(list(self.db.one(f"SELECT * FROM t LIMIT {len(exact[:1])}")), VALUES)
        self.assertEqual(self.db.execute(insert, exact), 1)
        self.assertEqual(rows[0], self.db.query("SELECT * FROM t ORDER BY rowid DESC")[0])

    def test_rows_are_read_by_name_index_and_unpacking(self):
        self.accounts()
        rows = self.db.query("SELECT name, balance FROM accounts ORDER BY name")
        first = rows[0]
        name, balance = first
        self.assertEqual((name, balance), ("alice", Decimal("1.50")))
        self.assertEqual((first.name, first["name"], first[-1], first[:1]), ("alice", "alice", balance, ("alice",)))
        self.assertEqual(first._asdict(), {"name": "alice", "balance": balance})
        self.assertEqual((len(rows), rows[-1].name, [row.name for row in rows[1:]]), (3, "carol", ["bob", "carol"]))
        self.assertEqual(rows.values("name"), ["alice", "bob", "carol"])
        self.assertEqual(repr(first), "Row(name='alice', balance=Decimal('1.50'))")
        with self.assertRaisesRegex(AttributeError, "no column `nme`; there is `name`, `balance`"):
            first.nme
        with self.assertRaisesRegex(database.CellError, "no column `nme`"):
            first["nme"]
        with self.assertRaisesRegex(database.CellError, "several columns `n`"):
            self.db.one("SELECT 1 AS n, 2 AS n")["n"]

    def test_rows_into_dataclasses(self):
        self.accounts()
        sql = "SELECT name, balance, note FROM accounts WHERE name <> 'carol' ORDER BY name"
        self.assertEqual(
            self.db.query(sql, into=Account), [Account("alice", Decimal("1.50")), Account("bob", Decimal(2), "x")]
        )
        self.assertEqual(self.db.one(sql + " LIMIT 1", into=Pair), Pair("alice", Exact("decimal", "1.50")))
        for sql, words in [
            ("SELECT name FROM accounts", r"Account.balance: there is no column `balance`; there is `name`"),
            (
                "SELECT name, 0.5 AS balance FROM accounts",
                "Account.balance: column `balance` of row 1 is of the kind float64, which is no Decimal",
            ),
            (
                "SELECT name, balance FROM accounts ORDER BY name",
                "Account.balance: column `balance` of row 3 holds NULL",
            ),
        ]:
            with self.assertRaisesRegex(database.CellError, words):
                self.db.query(sql, into=Account)

    def test_scalars_fit_or_say_why_not(self):
        self.assertIs(self.db.scalar("SELECT 1", into=bool), True)
        self.assertEqual(self.db.scalar("SELECT CAST(7 AS INTEGER)", into=Decimal), Decimal(7))
        self.assertIsNone(self.db.scalar("SELECT NULL", into=Optional[Decimal]))
        self.assertIsNone(self.db.scalar_or_none("SELECT 1 WHERE 0 = 1"))
        self.assertEqual(self.db.scalars("VALUES (1), (2)"), [1, 2])
        self.assertEqual(Rows.of({"n": [Decimal("12.00")]}).values("n", int), [12])
        for values, kind, words in [
            ([Decimal("1.5")], int, "holds 1.5, which is no whole number"),
            ([2], bool, "holds 2, which is no boolean"),
            ([2**53 + 1], float, "which no float is exactly"),
            ([None], int, "holds NULL"),
        ]:
            with self.assertRaisesRegex(database.CellError, words):
                Rows.of({"n": values}).values("n", kind)
        self.assertRaises(database.NoRow, self.db.scalar, "SELECT 1 WHERE 0 = 1")
        self.assertRaises(database.ManyRows, self.db.one, "VALUES (1), (2)")
        self.assertRaises(database.ManyRows, self.db.scalar_or_none, "VALUES (1), (2)")

    def test_what_python_can_not_hold_is_read_exactly(self):
        column = _contract_types.Column(b"\x03", _contract_types.Values_Timestamp([0, 2**63 - 1, 0]))
        infos = [_contract_types.ColumnInfo("at", _contract_types.Kind.TIMESTAMP, "timestamptz")]
        from poolhouse.database._rows import rows_of

        rows = rows_of(_contract_types.Answer(infos, _contract_types.Batch(3, [column])))
        self.assertEqual((rows[0].at, rows[2].at), (datetime(1970, 1, 1, tzinfo=timezone.utc), None))
        with self.assertRaisesRegex(
            database.CellError, r"column `at` of row 2 holds the timestamp 9223372036854775807, .*_exact\('at'\)"
        ):
            rows[1].at
        self.assertEqual(rows[1]._exact("at"), Exact("timestamp", 2**63 - 1))
        self.assertIn("Exact", repr(rows[1]))

    def test_parameters_that_can_not_be(self):
        for value, words in [
            (2**63, r"parameter \$2: 9223372036854775808 does not fit"),
            (datetime(2024, 1, 1), "no time zone"),
            (time(1, tzinfo=timezone.utc), "has a time zone"),
            ([], r"pass Array\(the list, kind\)"),
            ([1, "x"], "element 2 is 'x', of the kind text, among others of the kind int64"),
            ({}, "is a dict, which is no value"),
            (Decimal("1E+200000"), "150,000 digits"),
        ]:
            with self.assertRaisesRegex(database.ParameterError, words):
                _parameters.to_values([1, value])
        with self.assertRaisesRegex(database.ParameterError, "pass a list"):
            self.db.execute("SELECT $1", "x")
        with self.assertRaisesRegex(database.ParameterError, "row 2 has 1 values, and 2 are needed"):
            self.db.execute_many("x", [(1, 2), (1,)])
        with self.assertRaisesRegex(database.ParameterError, r"parameter \$1: row 2 is 'a'"):
            self.db.execute_many("x", [(1,), ("a",)])

    def test_columns_are_arrow_s(self):
        packed = _columns.pack(["é", None, ""], None, "row")
        self.assertEqual(
            packed,
            _contract_types.Column(
                b"\x05", _contract_types.Values_Text(_contract_types.Packed([0, 2, 2, 2], "é".encode()))
            ),
        )
        self.assertEqual(_columns.pack([1, Decimal("2.50")], None, "row").values.value.data, b"12.50")
        self.assertEqual(len(_columns.pack([None] * 17, None, "row").validity), 3)
        array = _parameters.to_values([Array([], "int64"), [1, None]])
        self.assertEqual([value.value.values.value for value in array], [[], [1, 0]])

    def test_transactions_end_as_their_blocks_do(self):
        self.accounts()
        count = "SELECT count(*) FROM accounts"
        with database.transaction() as tx:
            tx.execute("DELETE FROM accounts WHERE name = 'alice'")
            with self.assertRaises(ZeroDivisionError):
                with tx.savepoint() as sp:
                    sp.execute("DELETE FROM accounts")
                    with self.assertRaises(database.Invalid):
                        tx.execute("DELETE FROM accounts")
                    raise ZeroDivisionError
            self.assertEqual(tx.scalar(count), 2)
        self.assertEqual(self.db.scalar(count), 2)
        self.assertRaises(database.Closed, tx.scalar, count)
        with self.assertRaises(ZeroDivisionError):
            with database.transaction() as tx:
                tx.execute("DELETE FROM accounts")
                raise ZeroDivisionError
        self.assertEqual(self.db.scalar(count), 2)
        with database.transaction() as tx:
            tx.execute("DELETE FROM accounts")
            tx.rollback()
        self.assertEqual(self.db.scalar(count), 2)

    def test_violations_have_their_fields(self):
        self.accounts()
        with self.assertRaises(database.ConstraintViolation) as raised:
            self.db.execute("INSERT INTO accounts (name) VALUES ($1)", ["bob"])
        self.assertEqual(
            (raised.exception.kind, raised.exception.table, raised.exception.columns), ("unique", "accounts", ["name"])
        )
        self.assertTrue(raised.exception.is_unique("accounts_pkey", ["name"]))
        self.assertFalse(raised.exception.is_unique("accounts_pkey", ["balance"]))

    def test_cursors_read_any_number_of_rows(self):
        numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n"
        with self.db.cursor(numbers) as rows:
            self.assertEqual([info.name for info in rows.columns], ["i"])
            self.assertEqual(sum(row.i for row in rows), 500500)
            self.assertIsNone(rows.next_batch())
        self.assertEqual([row.i for row in self.db.each(numbers)], list(range(1, 1001)))
        with self.db.cursor(numbers) as rows:
            next(iter(rows))
        self.assertRaises(database.Closed, list, rows)

    def test_conflicts_are_run_again(self):
        conflict = _contract_types.Err(
            _contract_types.Error_Conflict(
                _contract_types.Conflict(_contract_types.ConflictKind.BUSY, "somebody writes")
            )
        )
        runs = []

        def work(tx):
            runs.append(tx)
            if len(runs) < 3:
                tx._opened.execute = lambda *_: (_ for _ in ()).throw(conflict)
            try:
                tx.execute("SELECT 1")
            except database.Conflict:
                raise LookupError from None
            return "done"

        self.assertEqual(database.retry_conflicts(work), "done")
        self.assertEqual(len(runs), 3)
        runs.clear()
        self.assertRaises(LookupError, database.retry_conflicts, work, attempts=2)
        self.assertEqual(len(runs), 2)


class ErrorsTest(unittest.TestCase):
    def test_every_case_has_its_class_and_fields(self):
        with Database():
            types = _contract_types
            failed = types.StatementFailed("42703", 'column "nme" does not exist', None, 'Perhaps you meant "name".', 8)
            error = _errors.of(types.Error_Statement(failed))
            self.assertEqual(str(error), 'column "nme" does not exist (Perhaps you meant "name".)')
            self.assertEqual(
                (error.sqlstate, error.position, error.message), ("42703", 8, 'column "nme" does not exist')
            )
            self.assertIsInstance(_errors.of(types.Error_Closed("over")), database.Closed)
            self.assertIsInstance(_errors.of(types.Error_Denied(types.Denied("no"))), database.Denied)

    def test_without_a_host_it_says_so(self):
        self.assertIsNone(_contract.database)
        self.assertRaisesRegex(RuntimeError, "poolhouse.testing.Database", database.transaction)


class DecimalsTest(unittest.TestCase):
    def test_nothing_rounds_by_itself(self):
        large = Decimal("12345678901234567890123456789012345678")
        self.assertEqual(f"{large + Decimal('0.01'):f}", "12345678901234567890123456789012345678.01")
        self.assertRaises(decimal.Inexact, lambda: Decimal(1) / 3)
        self.assertRaises(decimal.FloatOperation, lambda: Decimal(1) + Decimal(0.1))

    def test_rounding_says_how(self):
        for above, below, places, rounding, quotient in [
            ("10", "3", 2, decimal.ROUND_HALF_EVEN, "3.33"),
            ("-10", "3", 2, decimal.ROUND_UP, "-3.34"),
            ("1", "8", 2, decimal.ROUND_HALF_EVEN, "0.12"),
            ("1", "8", 2, decimal.ROUND_HALF_UP, "0.13"),
            ("-1", "8", 2, decimal.ROUND_HALF_DOWN, "-0.12"),
            ("0.125000001", "1", 2, decimal.ROUND_HALF_DOWN, "0.13"),
            ("25", "2", -1, decimal.ROUND_HALF_EVEN, "10"),
            ("7", "-7", 3, decimal.ROUND_FLOOR, "-1.000"),
        ]:
            self.assertEqual(decimals.text(decimals.divide(Decimal(above), Decimal(below), places, rounding)), quotient)
        self.assertEqual(str(decimals.round_to(Decimal("2.675"), 2)), "2.68")
        self.assertRaises(ZeroDivisionError, decimals.divide, Decimal(1), Decimal(0), 2)

    def test_texts(self):
        for text in ("1.50", "-0.000000000000000001", "100000000000000000000000000000000000000000", "0.00"):
            self.assertEqual(decimals.text(decimals.parse(text)), text)
        for text in ("", "-", "1e5", " 1", "1_0", "NaN", ".5", "1.", "+1", "１"):
            self.assertRaises(ValueError, decimals.parse, text)


class TimesTest(unittest.TestCase):
    def test_times_of_day_and_instants_are_exact(self):
        for value in (
            datetime.max.replace(tzinfo=timezone.utc),
            datetime.min.replace(tzinfo=timezone.utc),
            WHEN - timedelta(days=20_000),
        ):
            with Database() as here:
                self.assertEqual(
                    here.session.scalar("SELECT $1", [Exact("timestamp", 0)]), "1970-01-01T00:00:00.000000Z"
                )
                here._host.connection.execute("CREATE TABLE t (v TIMESTAMP)")
                here.session.execute("INSERT INTO t VALUES ($1)", [value])
                self.assertEqual(here.session.scalar("SELECT v FROM t"), value)


if __name__ == "__main__":
    unittest.main()
