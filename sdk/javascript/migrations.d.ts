// Types of migrations.js: the tables that a plugin owns, as plain data; when migrations run, the host decides.

/**
 * One step of the schema. A migration that has run somewhere is never changed: what is wrong in it is put right by the next.
 */
export interface MigrationInfo {
  /** From 1, rising; never used again for something else. */
  number: number;
  /** A few words for the log. */
  name: string;
  /**
   * The tables that it makes with `CREATE TABLE IF NOT EXISTS`, each with the columns that the plugin needs. One that is there
   * already is adopted, if it has them.
   */
  tables?: { readonly [table: string]: readonly string[] };
  /**
   * SQL on SQLite, one statement each: CREATE, ALTER or DROP of tables and indexes, and changes of rows. Declare `DECIMAL_TEXT`,
   * `UUID_TEXT` and `JSON_TEXT` where values must stay what they are.
   */
  sqlite: readonly string[];
  /** The same on PostgreSQL. */
  postgresql: readonly string[];
}

/**
 * The interface `poolhouse:plugin/migrations` of a plugin whose world exports it:
 *
 * ```js
 * export const migrations = defineMigrations({
 *   number: 1,
 *   name: "accounts",
 *   tables: { accounts: ["name", "balance"] },
 *   sqlite: ["CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance DECIMAL_TEXT NOT NULL)"],
 *   postgresql: ["CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, balance NUMERIC NOT NULL)"],
 * });
 * ```
 */
export function defineMigrations(...all: MigrationInfo[]): {
  migrations(dialect: "sqlite" | "postgresql"): {
    number: number;
    name: string;
    tables: { name: string; columns: string[] }[];
    statements: string[];
  }[];
};

/**
 * The interface `poolhouse:plugin/lifecycle`, for `export const lifecycle: Lifecycle = { start() {…}, stop() {…} }`. Both are called
 * in an instance of their own, so that other instances do not see what they put into variables.
 */
export interface Lifecycle {
  /** After migrations and before any other call. @throws {Failure} Keeps the plugin from being used. */
  start(): void;
  /** Before the plugin is unloaded, once no call is under way. */
  stop(): void;
}
