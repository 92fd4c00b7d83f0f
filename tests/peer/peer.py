"""The design that Poolhouse grew from, for comparison: one Python process, a SQLAlchemy QueuePool of 5 + 10 with
pre-ping, and for every order a session of its own that commits by itself.

usage: peer.py URL FEED.csv SEED.toml [MAX_ORDERS]

Prints one line of JSON: orders, seconds (the loop alone, from the first bar to the last order).
"""

import csv
import json
import sys
import time
import tomllib
from collections import defaultdict, deque
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from sqlalchemy import DateTime, Integer, Numeric, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker
from sqlalchemy.pool import QueuePool


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "peer_orders"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    client_order_id: Mapped[str] = mapped_column(String, unique=True)
    user_id: Mapped[str] = mapped_column(String)
    strategy_id: Mapped[str] = mapped_column(String)
    symbol: Mapped[str] = mapped_column(String)
    side: Mapped[str] = mapped_column(String)
    quantity: Mapped[Decimal] = mapped_column(Numeric)
    price: Mapped[Decimal] = mapped_column(Numeric)
    status: Mapped[str] = mapped_column(String)
    bar_time: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ConnectionManager:
    def __init__(self, url):
        self.engine = create_engine(
            url, poolclass=QueuePool, pool_size=5, max_overflow=10, pool_pre_ping=True, pool_recycle=3600
        )
        if url.startswith("sqlite"):
            # The same durability as the host's connections.
            @event.listens_for(self.engine, "connect")
            def pragmas(connection, _):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")

        self.sessions = scoped_session(sessionmaker(bind=self.engine))

    @contextmanager
    def session(self):
        session = self.sessions()
        try:
            yield session
            session.commit()
        except Exception:
            session.rollback()
            raise
        finally:
            self.sessions.remove()


class MovingAverage:
    def __init__(self, fast, slow):
        self.fast, self.slow = fast, slow
        self.closes = deque(maxlen=slow)
        self.previous = None

    def on_bar(self, close):
        self.closes.append(close)
        if len(self.closes) < self.slow:
            return None
        closes = list(self.closes)
        d = sum(closes[-self.fast :]) / self.fast - sum(closes) / self.slow
        previous, self.previous = self.previous, d
        if previous is None:
            return None
        if previous <= 0 < d:
            return "buy"
        if previous >= 0 > d:
            return "sell"
        return None


def main():
    url, feed, seed = sys.argv[1:4]
    most = int(sys.argv[4]) if len(sys.argv) > 4 else None
    with open(seed, "rb") as file:
        seed = tomllib.load(file)
    watching = defaultdict(list)
    for row in seed["strategies"]:
        for symbol in row["symbols"]:
            parameters = row["parameters"]
            average = MovingAverage(int(parameters["fast"]), int(parameters["slow"]))
            watching[symbol].append((row["id"], average))
    subscribers = defaultdict(list)
    for user in seed["users"]:
        for subscription in user["subscriptions"]:
            limit = Decimal(user.get("max_order_value", "Infinity"))
            subscribers[subscription["strategy"]].append((user["id"], Decimal(subscription["quantity"]), limit))
    with open(feed, newline="") as file:
        bars = [(row["symbol"], row["time"], row["close"]) for row in csv.DictReader(file)]

    manager = ConnectionManager(url)
    Base.metadata.drop_all(manager.engine)
    Base.metadata.create_all(manager.engine)
    orders = 0
    begun = time.perf_counter()
    for symbol, at, close in bars:
        for strategy, average in watching[symbol]:
            side = average.on_bar(float(close))
            if side is None:
                continue
            for user, quantity, limit in subscribers[strategy]:
                price = Decimal(close)
                with manager.session() as session:
                    session.add(
                        Order(
                            client_order_id=f"{strategy}:{user}:{symbol}:{at}:0",
                            user_id=user,
                            strategy_id=strategy,
                            symbol=symbol,
                            side=side,
                            quantity=quantity,
                            price=price,
                            status="placed" if quantity * price <= limit else "rejected",
                            bar_time=datetime.fromisoformat(at),
                        )
                    )
                orders += 1
        if most is not None and orders >= most:
            break
    seconds = time.perf_counter() - begun
    Base.metadata.drop_all(manager.engine)
    print(json.dumps({"orders": orders, "seconds": seconds}))


if __name__ == "__main__":
    main()
