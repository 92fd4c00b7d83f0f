// Holds the imports of the plugin's world, which the build hands over; what is asked of them is the other modules' business.

let database;
let logging;

/**
 * Called once, by the code that the build makes around the plugin.
 */
export function provide(imports) {
  database = imports.database;
  logging = imports.logging;
}

/**
 * The interface `poolhouse:database/database`.
 *
 * @throws {Error} Outside of the host, as in a test, and in a plugin whose world does not import it.
 */
export function databaseImport() {
  if (database === undefined) {
    throw new Error(
      "there is no database here: in a test, hand the code a stand-in for the session; in a plugin, add `import poolhouse:database/database@0.1.0;` to the world in wit/world.wit",
    );
  }
  return database;
}

/**
 * The interface `wasi:logging/logging`; undefined where the world does not import it.
 */
export function loggingImport() {
  return logging;
}
