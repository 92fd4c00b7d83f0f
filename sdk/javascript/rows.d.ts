// Types of rows.js: rows over the contract's columns, each read when it is asked for.

import type { Cell, Kind, TypedValue } from "./values.js";

/**
 * What the database says of a result's column.
 */
export interface ColumnInfo {
  readonly name: string;
  readonly kind: Kind;
  /** The database's own name of the type: `int8`, `TIMESTAMP`; empty for an SQLite expression. */
  readonly databaseType: string;
}

/**
 * The rows of a result, as objects with a property for each column. Nothing is read before it is asked for, and each
 * reading makes new objects.
 *
 * ```ts
 * for (const { symbol, quantity } of database.query<{ symbol: string; quantity: Decimal }>("SELECT symbol, quantity FROM positions")) …
 * ```
 *
 * `Row` is what the author says a row is; the compiler believes it, and without it knows nothing of the cells. Which class a kind
 * is read as, `Cell` says. A cell that its
 * class can't hold, such as PostgreSQL's `NaN` in a decimal column, is a `DecodeError`; `typed` reads it.
 */
export class Rows<Row = Record<string, any>> implements Iterable<Row> {
  private constructor();

  /**
   * Rows of columns, for tests: `Rows.of({ name: ["alice"], balance: [new Decimal("1.50")] })`. The kind of a column is that of its
   * values, and text where there are none.
   *
   * @throws {TypeError} The columns have different lengths.
   */
  static of<Row = Record<string, any>>(columns: { readonly [name: string]: readonly (Cell | number | Date | TypedValue)[] }): Rows<Row>;

  readonly length: number;
  readonly columns: readonly ColumnInfo[];

  /** @throws {DecodeError} Two columns have the same name; read `arrays()`. */
  [Symbol.iterator](): IterableIterator<Row>;

  /** The row of that index, from the end if it is below 0; undefined if there is none. */
  at(row: number): Row | undefined;

  /** All rows, as an array. */
  all(): Row[];

  /** @throws {RowCountError} There is not exactly one row. */
  one(): Row;

  /** @throws {RowCountError} There is more than one row. */
  optional(): Row | undefined;

  /**
   * The only cell.
   *
   * @throws {RowCountError} There is not exactly one row.
   * @throws {DecodeError} There is not exactly one column.
   */
  scalar<T = any>(): T;

  /** The same; undefined if there is no row. */
  scalarOptional<T = any>(): T | undefined;

  /** The cells of the only column. */
  scalars<T = any>(): T[];

  /** All rows as arrays, in the order of the columns. */
  arrays(): Cell[][];

  /** All cells of one column, by its name or index. */
  column<T = any>(column: string | number): T[];

  /** One cell, by the row's index and the column's name or index. */
  cell<T = any>(row: number, column: string | number): T;

  /** The same in the contract's own form, without loss whatever it holds. */
  typed(row: number, column: string | number): TypedValue;
}
