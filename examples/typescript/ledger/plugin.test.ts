// Tries what decides natively, without the host, on a stand-in for the database that knows two accounts: `npm test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Cursor, Decimal, Failure, Rows, Statements } from "#poolhouse";

import { amountAboveZero, audit, migrations, transfer } from "./plugin.ts";

type Change = [account: unknown, amount: string];

/** Has these balances, and writes down what is changed. */
class Accounts extends Statements {
  readonly balances = new Map([["alice", "10.00"], ["bob", "1.5"]]);
  readonly stored: Change[] = [];
  readonly moved: Change[] = [];

  override query<Row>(_sql: string, [account]: readonly unknown[] = []): Rows<Row> {
    const balance = this.balances.get(String(account));
    return Rows.of<Row>({ balance: balance === undefined ? [] : [new Decimal(balance)] });
  }

  override execute(sql: string, [account, amount]: readonly unknown[] = []): number {
    if (sql.startsWith("INSERT INTO movements")) {
      this.moved.push([account, String(amount)]);
    } else if (amount !== undefined) {
      this.stored.push([account, String(amount)]);
    }
    return 1;
  }

  override executeMany(): number {
    throw new Error("nothing is stored in bulk");
  }

  override cursor<Row>(sql: string): Cursor<Row> {
    const [names, numbers] = [[...this.balances.keys()], [...this.balances.values()].map((text) => new Decimal(text))];
    return Cursor.of(sql.includes("movements") ? Rows.of<Row>({ account: names, amount: numbers }) : Rows.of<Row>({ name: names, balance: numbers }));
  }
}

test("a transfer changes both balances, exactly", () => {
  const accounts = new Accounts();
  transfer(accounts, "alice", "bob", new Decimal("0.125"));
  assert.deepEqual(accounts.stored, [["alice", "9.875"], ["bob", "1.625"]]);
  assert.deepEqual(accounts.moved, [["alice", "-0.125"], ["bob", "0.125"]]);
});

test("what can't be is told", () => {
  const refused = (source: string, target: string, amount: string) => () =>
    transfer(new Accounts(), source, target, amountAboveZero(amount));
  assert.throws(refused("bob", "alice", "2"), new Failure("account `bob` has 1.5, which is less than 2"));
  assert.throws(refused("alice", "carol", "2"), new Failure("account `carol` does not exist; make a deposit first"));
  for (const amount of ["0", "-1", "1e5", "", "ten"]) {
    assert.throws(refused("alice", "bob", amount), /must be a decimal number above 0, such as 12\.50/);
  }
});

test("an audit adds up all movements", () => {
  assert.equal(audit(new Accounts()), 2n);
});

test("both databases get the same tables", () => {
  assert.deepEqual(migrations.migrations("sqlite")[0]?.tables, migrations.migrations("postgresql")[0]?.tables);
});
