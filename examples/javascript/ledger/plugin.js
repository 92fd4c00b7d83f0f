// Keeps cash accounts and every movement of money between them; who may move it, its callers decide.

/** @import { Statements } from "#poolhouse" */
/** @import * as contract from "local:ledger/ledger@0.1.0" */

import { database, Decimal, defineMigrations, Failure, log, Timestamp } from "#poolhouse";

export const migrations = defineMigrations({
  number: 1,
  name: "accounts and movements",
  tables: { accounts: ["name", "balance"], movements: ["id", "account", "amount", "note", "at"] },
  // SQLite stores what it is told the type is: only columns declared `…_TEXT` keep decimals exact.
  sqlite: [
    "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance DECIMAL_TEXT NOT NULL)",
    `CREATE TABLE IF NOT EXISTS movements (
      id INTEGER PRIMARY KEY,
      account TEXT NOT NULL,
      amount DECIMAL_TEXT NOT NULL,
      note TEXT NOT NULL,
      at TIMESTAMP NOT NULL
    )`,
    "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)",
  ],
  postgresql: [
    "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance NUMERIC NOT NULL)",
    `CREATE TABLE IF NOT EXISTS movements (
      id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      account TEXT NOT NULL,
      amount NUMERIC NOT NULL,
      note TEXT NOT NULL,
      at TIMESTAMPTZ NOT NULL
    )`,
    "CREATE INDEX IF NOT EXISTS movements_account ON movements (account, id)",
  ],
});

/**
 * The interface `ledger` of wit/world.wit.
 *
 * @satisfies {typeof contract}
 */
export const ledger = {
  deposit(account, amount) {
    const money = amountAboveZero(amount);
    const balance = database.transaction({ attempts: 3 }, (tx) => deposit(tx, account, money));
    log.info(`${money} came into \`${account}\``);
    return balance.toString();
  },

  transfer(source, target, amount) {
    const money = amountAboveZero(amount);
    if (source === target) {
      throw new Failure(`source and target are both \`${source}\`; name two accounts`);
    }
    database.transaction({ attempts: 3 }, (tx) => transfer(tx, source, target, money));
  },

  balance(account) {
    return database.queryScalarOptional("SELECT balance FROM accounts WHERE name = $1", [account])?.toString();
  },

  statement(account, limit) {
    const movements = database.query(
      "SELECT id, amount, note, at FROM movements WHERE account = $1 ORDER BY id DESC LIMIT $2",
      [account, limit],
    );
    return movements.all().map(({ id, amount, note, at }) => ({ id, amount: amount.toString(), note, at: at.microseconds }));
  },

  audit() {
    // One moment for sums and balances.
    return database.transaction({ isolation: "repeatable-read" }, audit);
  },
};

/** @param {string} text */
export function amountAboveZero(text) {
  const amount = Decimal.parse(text);
  if (!amount?.isPositive) {
    throw new Failure(`amount \`${text}\` must be a decimal number above 0, such as 12.50`);
  }
  return amount;
}

/**
 * @param {Statements} db
 * @param {string} account
 * @param {Decimal} amount
 */
export function deposit(db, account, amount) {
  db.execute("INSERT INTO accounts (name, balance) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", [account, new Decimal(0)]);
  lock(db, account);
  const balance = balanceOf(db, account).add(amount);
  move(db, account, balance, amount, "deposit");
  return balance;
}

/**
 * @param {Statements} db
 * @param {string} source
 * @param {string} target
 * @param {Decimal} amount
 */
export function transfer(db, source, target, amount) {
  // In the order of their names, so that two transfers do not each wait for the other's account.
  for (const account of [source, target].sort()) {
    lock(db, account);
  }
  const atSource = balanceOf(db, source);
  const atTarget = balanceOf(db, target);
  if (atSource.compare(amount) < 0) {
    throw new Failure(`account \`${source}\` has ${atSource}, which is less than ${amount}`);
  }
  move(db, source, atSource.subtract(amount), amount.negate(), `to ${target}`);
  move(db, target, atTarget.add(amount), amount, `from ${source}`);
}

/**
 * Nobody else changes the account until the transaction ends, so that what is computed from its balance stays right.
 *
 * @param {Statements} db
 * @param {string} account
 */
function lock(db, account) {
  db.execute("UPDATE accounts SET balance = balance WHERE name = $1", [account]);
}

/**
 * @param {Statements} db
 * @param {string} account
 * @returns {Decimal}
 */
function balanceOf(db, account) {
  const balance = db.queryScalarOptional("SELECT balance FROM accounts WHERE name = $1", [account]);
  if (balance === undefined) {
    throw new Failure(`account \`${account}\` does not exist; make a deposit first`);
  }
  return balance;
}

/**
 * @param {Statements} db
 * @param {string} account
 * @param {Decimal} balance
 * @param {Decimal} amount
 * @param {string} note
 */
function move(db, account, balance, amount, note) {
  db.execute("UPDATE accounts SET balance = $2 WHERE name = $1", [account, balance]);
  db.execute("INSERT INTO movements (account, amount, note, at) VALUES ($1, $2, $3, $4)", [account, amount, note, Timestamp.now()]);
}

/** @param {Statements} db */
export function audit(db) {
  /** @type {Map<string, Decimal>} */
  const sums = new Map();
  let count = 0n;
  for (const { account, amount } of db.cursor("SELECT account, amount FROM movements")) {
    sums.set(account, amount.add(sums.get(account) ?? 0));
    count += 1n;
  }
  for (const { name, balance } of db.cursor("SELECT name, balance FROM accounts ORDER BY name")) {
    const sum = sums.get(name) ?? new Decimal(0);
    if (!sum.equals(balance)) {
      throw new Failure(`account \`${name}\` has a balance of ${balance}, and its movements add up to ${sum}`);
    }
  }
  return count;
}
