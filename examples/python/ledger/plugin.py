"""Cash accounts and every movement of money; who may move it is not its business."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from poolhouse import Failure, Migration, database, decimals, export, export_migrations, log
from poolhouse.database import Transaction

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

export_migrations(
    Migration(
        number=1,
        name="accounts and movements",
        tables={"accounts": ["name", "balance"], "movements": ["id", "account", "amount", "note", "at"]},
        # SQLite keeps decimals exact only in columns declared as text.
        sqlite=[
            "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance DECIMAL_TEXT NOT NULL)",
            """CREATE TABLE IF NOT EXISTS movements (
                id INTEGER PRIMARY KEY,
                account TEXT NOT NULL,
                amount DECIMAL_TEXT NOT NULL,
                note TEXT NOT NULL,
                at TIMESTAMP NOT NULL
            )""",
            "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)",
        ],
        postgresql=[
            "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance NUMERIC NOT NULL)",
            """CREATE TABLE IF NOT EXISTS movements (
                id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                account TEXT NOT NULL,
                amount NUMERIC NOT NULL,
                note TEXT NOT NULL,
                at TIMESTAMPTZ NOT NULL
            )""",
            "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)",
        ],
    )
)


@dataclass
class Movement:
    """The record `movement` of wit/world.wit; `at` is in microseconds since 1970."""

    id: int
    amount: Decimal
    note: str
    at: int


@export
class Ledger:
    """The interface `ledger` of wit/world.wit."""

    def deposit(self, account: str, amount: str) -> Decimal:
        money = above_zero(amount)
        with database.transaction() as tx:
            # Makes the account if it is not there, and locks it in any case: nobody else can change it before the commit.
            before = tx.scalar(
                "INSERT INTO accounts (name, balance) VALUES ($1, $2) "
                "ON CONFLICT (name) DO UPDATE SET balance = accounts.balance RETURNING balance",
                [account, Decimal()],
            )
            write(tx, [(account, before + money, money, "deposit")])
        return before + money

    def transfer(self, source: str, target: str, amount: str) -> None:
        money = above_zero(amount)
        if source == target:
            raise Failure(f"source and target are both `{source}`; name two accounts")
        with database.transaction() as tx:
            # In order of name, so that two transfers never wait for each other.
            balances = {name: lock(tx, name) for name in sorted([source, target])}
            for name in (source, target):
                if balances[name] is None:
                    raise Failure(f"account `{name}` does not exist; make a deposit first")
            if balances[source] < money:
                raise Failure(f"account `{source}` has {balances[source]:f}, which is less than {money:f}")
            write(
                tx,
                [
                    (source, balances[source] - money, -money, f"to {target}"),
                    (target, balances[target] + money, money, f"from {source}"),
                ],
            )
        log.info(f"{money:f} went from `{source}` to `{target}`")

    def balance(self, account: str) -> Decimal | None:
        return database.session().scalar_or_none("SELECT balance FROM accounts WHERE name = $1", [account])

    def statement(self, account: str, limit: int) -> list[Movement]:
        newest = database.session().query(
            "SELECT id, amount, note, at FROM movements WHERE account = $1 ORDER BY id DESC LIMIT $2", [account, limit]
        )
        return [Movement(row.id, row.amount, row.note, (row.at - EPOCH) // timedelta(microseconds=1)) for row in newest]

    def audit(self) -> int:
        count = 0
        # One statement, so that balances and movements are of one moment; a cursor, for there may be any number of rows.
        with database.session().cursor(
            "SELECT name, balance, amount FROM accounts LEFT JOIN movements ON account = name ORDER BY name"
        ) as rows:
            for account, lines in groupby(rows, key=attrgetter("name")):
                total = Decimal()
                for line in lines:
                    # None where an account has no movement.
                    if line.amount is not None:
                        total += line.amount
                        count += 1
                if line.balance != total:
                    raise Failure(
                        f"account `{account}` has a balance of {line.balance:f}, and its movements add up to {total:f}"
                    )
        return count


def above_zero(amount: str) -> Decimal:
    try:
        money = decimals.parse(amount)
    except ValueError:
        money = Decimal()
    if money <= 0:
        raise Failure(f"amount `{amount}` must be a decimal number above 0, such as 12.50")
    return money


def lock(tx: Transaction, account: str) -> Decimal | None:
    """The balance, which nobody else can change before the transaction's end; none without such an account."""
    return tx.scalar_or_none("UPDATE accounts SET balance = balance WHERE name = $1 RETURNING balance", [account])


def write(tx: Transaction, changes: list[tuple[str, Decimal, Decimal, str]]) -> None:
    """Writes each account's new balance, and the movement that led to it with its note."""
    now = datetime.now(timezone.utc)
    tx.execute_many(
        "UPDATE accounts SET balance = $2 WHERE name = $1", [(account, balance) for account, balance, *_ in changes]
    )
    tx.execute_many(
        "INSERT INTO movements (account, amount, note, at) VALUES ($1, $2, $3, $4)",
        [(account, amount, note, now) for account, _, amount, note in changes],
    )
