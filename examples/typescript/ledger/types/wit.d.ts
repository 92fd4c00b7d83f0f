// Types of the plugin's interfaces, made from wit/ by `host build`; changes here are lost.

declare module 'local:ledger/ledger@0.1.0' {
  /**
   * Puts money into an account, which is made if it is not there. Answers the new balance.
   */
  export function deposit(account: string, amount: Decimal): Decimal;
  /**
   * Moves money from one account to another: both balances and both movements, or nothing.
   */
  export function transfer(source: string, target: string, amount: Decimal): void;
  /**
   * None if there is no such account.
   */
  export function balance(account: string): Decimal | undefined;
  /**
   * The account's newest movements first, `limit` at most.
   */
  export function statement(account: string, limit: number): Array<Movement>;
  /**
   * Adds up all movements, however many, and compares each account's sum with its balance. Answers how many
   * movements there are; the error names the account that is wrong.
   */
  export function audit(): bigint;
  export type Failure = import('poolhouse:plugin/types@0.1.0').Failure;
  /**
   * An exact decimal number as text: optional `-`, digits, optional `.` and digits.
   */
  export type Decimal = string;
  /**
   * One line of an account's statement.
   */
  export interface Movement {
    /**
     * Rises from movement to movement.
     */
    id: bigint,
    /**
     * Above 0 for what came in, below 0 for what went out.
     */
    amount: Decimal,
    note: string,
    /**
     * Microseconds since 1970-01-01T00:00:00Z.
     */
    at: bigint,
  }
}

declare module 'poolhouse:plugin/migrations@0.1.0' {
  /**
   * Pure: the same list at every call.
   */
  export function migrations(dialect: Dialect): Array<Migration>;
  /**
   * # Variants
   * 
   * ## `"sqlite"`
   * 
   * ## `"postgresql"`
   */
  export type Dialect = 'sqlite' | 'postgresql';
  /**
   * A table that a migration makes with `CREATE TABLE IF NOT EXISTS`.
   */
  export interface Table {
    name: string,
    /**
     * The columns that the plugin needs. Where the table is already there, one that is missing fails
     * the migration, by name, and nothing is changed.
     */
    columns: Array<string>,
  }
  export interface Migration {
    /**
     * From 1, rising; never used again for something else.
     */
    number: number,
    /**
     * A few words for the log.
     */
    name: string,
    /**
     * Tables that this migration makes or, where somebody made them before, adopts.
     */
    tables: Array<Table>,
    /**
     * One SQL statement each: CREATE, ALTER or DROP of tables and indexes, and changes of rows.
     */
    statements: Array<string>,
  }
}

declare module 'poolhouse:plugin/types@0.1.0' {
  /**
   * # Variants
   * 
   * ## `"missing"`
   * 
   * No plugin exports the interface, it was taken away, or has not started yet.
   * ## `"trapped"`
   * 
   * The plugin trapped; its instance is discarded, the plugin stays.
   * ## `"timeout"`
   * 
   * The call's deadline passed.
   * ## `"limit"`
   * 
   * A limit was hit; the message names it and its setting.
   * ## `"depth"`
   * 
   * Calls are nested too deep.
   * ## `"failed"`
   * 
   * The plugin answered with an error of its own, or returned with a transaction open.
   */
  export type FailureKind = 'missing' | 'trapped' | 'timeout' | 'limit' | 'depth' | 'failed';
  /**
   * Why a call did not give its answer. The host itself puts the first five kinds into the error of a call
   * from plugin to plugin whose function answers `result<_, failure>`; a plugin uses `failed`.
   */
  export interface Failure {
    kind: FailureKind,
    /**
     * One sentence for a person: what happened, and what to do.
     */
    message: string,
  }
}
