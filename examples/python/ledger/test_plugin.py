"""The ledger on an SQLite in memory, natively; the host is not needed. Run `python3 -m unittest` in this folder."""

import unittest
from decimal import Decimal

from poolhouse import Failure
from poolhouse.testing import Database

from plugin import Ledger


class LedgerTest(unittest.TestCase):
    def setUp(self):
        self.database = Database()
        self.database.__enter__()
        self.addCleanup(self.database.__exit__)
        self.ledger = Ledger()

    def test_deposits_add_up_and_keep_the_larger_scale(self):
        self.assertEqual(f"{self.ledger.deposit('alice', '1.50'):f}", "1.50")
        self.assertEqual(f"{self.ledger.deposit('alice', '1'):f}", "2.50")
        self.assertEqual(self.ledger.balance("alice"), Decimal("2.50"))
        self.assertIsNone(self.ledger.balance("bob"))

    def test_no_digit_is_lost(self):
        self.ledger.deposit("alice", "12345678901234567890123456789012345678")
        self.ledger.deposit("alice", "0.000000000000000000000000000001")
        self.assertEqual(
            f"{self.ledger.balance('alice'):f}", "12345678901234567890123456789012345678.000000000000000000000000000001"
        )

    def test_a_transfer_is_two_movements(self):
        self.ledger.deposit("alice", "10")
        self.ledger.deposit("bob", "1")
        self.ledger.transfer("alice", "bob", "2.5")
        lines = self.ledger.statement("alice", 10) + self.ledger.statement("bob", 1)
        self.assertEqual(
            [(line.amount, line.note) for line in lines],
            [(Decimal("-2.5"), "to bob"), (Decimal(10), "deposit"), (Decimal("2.5"), "from alice")],
        )
        self.assertEqual(self.ledger.audit(), 4)

    def test_a_transfer_that_fails_changes_nothing(self):
        self.ledger.deposit("alice", "10")
        for target, amount, words in [
            ("bob", "1", "account `bob` does not exist; make a deposit first"),
            ("alice", "1", "source and target are both `alice`; name two accounts"),
            ("bob", "1e3", "amount `1e3` must be a decimal number above 0, such as 12.50"),
            ("bob", "0", "amount `0` must be a decimal number above 0, such as 12.50"),
        ]:
            with self.assertRaises(Failure) as raised:
                self.ledger.transfer("alice", target, amount)
            self.assertEqual(str(raised.exception), words)
        self.ledger.deposit("bob", "1")
        with self.assertRaises(Failure) as raised:
            self.ledger.transfer("alice", "bob", "10.01")
        self.assertEqual(str(raised.exception), "account `alice` has 10, which is less than 10.01")
        self.assertEqual(self.ledger.audit(), 2)

    def test_an_audit_names_the_account_that_is_wrong(self):
        for number in range(250):
            self.ledger.deposit("alice", f"0.{number + 1}")
        self.assertEqual(self.ledger.audit(), 250)
        self.database.session.execute("UPDATE accounts SET balance = $1", [Decimal(1)])
        with self.assertRaisesRegex(Failure, "^account `alice` has a balance of 1, and its movements add up to "):
            self.ledger.audit()


if __name__ == "__main__":
    unittest.main()
