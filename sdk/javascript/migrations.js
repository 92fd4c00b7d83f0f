// The tables that a plugin owns, as plain data; when migrations run, the host decides.

/**
 * Documented in migrations.d.ts.
 */
export function defineMigrations(...all) {
  const made = { sqlite: [], postgresql: [] };
  for (const { number, name, tables = {}, ...statements } of all) {
    for (const dialect of Object.keys(made)) {
      made[dialect].push({
        number,
        name,
        tables: Object.entries(tables).map(([table, columns]) => ({ name: table, columns })),
        statements: statements[dialect],
      });
    }
  }
  return { migrations: (dialect) => made[dialect] };
}
