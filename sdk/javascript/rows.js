// Rows over the contract's columns, each read when it is asked for; where they come from is the session's business.

import { columnOf, readersOf } from "./columns.js";
import { DecodeError, RowCountError } from "./errors.js";
import { TypedValue } from "./values.js";

/**
 * Documented in rows.d.ts.
 */
export class Rows {
  #columns;
  #batch;
  #before;
  #readers = [];
  #names;

  constructor(columns, batch, rowsBefore = 0) {
    this.#columns = columns;
    this.#batch = batch;
    this.#before = rowsBefore;
    this.length = batch.rows;
  }

  static of(columns) {
    const entries = Object.entries(columns);
    const made = entries.map(([name, values]) => columnOf(values, `column \`${name}\``, values.length === 0 ? "text" : undefined));
    const lengths = new Set(entries.map(([, values]) => values.length));
    if (lengths.size > 1) {
      throw new TypeError(`the columns ${entries.map(([name]) => `\`${name}\``).join(", ")} have different lengths`);
    }
    const infos = entries.map(([name], index) => ({ name, kind: made[index].values.tag, databaseType: "" }));
    return new Rows(infos, { rows: [...lengths][0] ?? 0, columns: made });
  }

  get columns() {
    return this.#columns;
  }

  /** @internal */
  get batch() {
    return this.#batch;
  }

  *[Symbol.iterator]() {
    for (let row = 0; row < this.length; row++) {
      yield this.#object(row);
    }
  }

  at(row) {
    const index = row < 0 ? row + this.length : row;
    return index >= 0 && index < this.length ? this.#object(index) : undefined;
  }

  all() {
    return Array.from({ length: this.length }, (_, row) => this.#object(row));
  }

  one() {
    if (this.length !== 1) {
      throw new RowCountError(this.length);
    }
    return this.#object(0);
  }

  optional() {
    return this.length === 0 ? undefined : this.one();
  }

  scalar() {
    if (this.length !== 1) {
      throw new RowCountError(this.length);
    }
    return this.#only().read(0);
  }

  scalarOptional() {
    const only = this.length === 0 ? undefined : this.#only();
    return only && this.scalar();
  }

  scalars() {
    return this.length === 0 ? [] : this.#values(this.#only());
  }

  arrays() {
    const readers = this.#columns.map((_, column) => this.#reader(column));
    return Array.from({ length: this.length }, (_, row) => readers.map(({ read }) => read(row)));
  }

  column(column) {
    return this.#values(this.#reader(this.#index(column)));
  }

  cell(row, column) {
    return this.#reader(this.#index(column)).read(this.#checked(row));
  }

  typed(row, column) {
    const { raw, kind } = this.#reader(this.#index(column));
    const value = raw(this.#checked(row));
    return value === null ? new TypedValue("null", undefined) : new TypedValue(kind, value);
  }

  #object(row) {
    const names = (this.#names ??= this.#propertyNames());
    const object = {};
    for (let column = 0; column < names.length; column++) {
      object[names[column]] = (this.#readers[column] ?? this.#reader(column)).read(row);
    }
    return object;
  }

  #propertyNames() {
    const names = this.#columns.map(({ name }) => name);
    names.forEach((name, column) => {
      if (names.indexOf(name) !== column || name === "__proto__") {
        throw new DecodeError(
          `a row can't have ${name === "__proto__" ? "a property" : "two properties"} \`${name}\`; name the column with AS, or read the rows as arrays()`,
          name,
        );
      }
    });
    return names;
  }

  #reader(column) {
    this.#readers[column] ??= readersOf(this.#batch.columns[column], this.#columns[column], this.#before);
    return this.#readers[column];
  }

  #values({ read }) {
    return Array.from({ length: this.length }, (_, row) => read(row));
  }

  #only() {
    if (this.#columns.length !== 1) {
      throw new DecodeError(`the result has ${this.#columns.length} columns, and one is needed`);
    }
    return this.#reader(0);
  }

  #index(column) {
    const index = typeof column === "number" ? column : this.#columns.findIndex(({ name }) => name === column);
    if (this.#columns[index] === undefined) {
      const names = this.#columns.map(({ name }) => `\`${name}\``).join(", ");
      throw new DecodeError(`there is no column \`${column}\`; the result has ${names || "no columns"}`, String(column));
    }
    return index;
  }

  #checked(row) {
    if (!(Number.isInteger(row) && row >= 0 && row < this.length)) {
      throw new RangeError(`there is no row ${row}; the first of ${this.length} is 0`);
    }
    return row;
  }
}
