// Lines for the host's log, through `wasi:logging`; where the host shows them is its business.

import { loggingImport } from "./host.js";

function write(level, message, context) {
  const logging = loggingImport();
  if (logging === undefined) {
    // In a test, and in a world without the import: standard error, which the host logs line by line.
    console.error(context === "" ? `${level}: ${message}` : `${level} ${context}: ${message}`);
  } else {
    logging.log(level, context, message);
  }
}

/**
 * Documented in log.d.ts.
 */
export const log = Object.freeze({
  trace: (message, context = "") => write("trace", String(message), context),
  debug: (message, context = "") => write("debug", String(message), context),
  info: (message, context = "") => write("info", String(message), context),
  warn: (message, context = "") => write("warn", String(message), context),
  error: (message, context = "") => write("error", String(message), context),
});
