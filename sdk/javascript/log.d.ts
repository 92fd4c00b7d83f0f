// Types of log.js: lines for the host's log; where the host shows them is its business.

/**
 * Logs one message under the plugin's name. `context` is a word for the part of the plugin that it is from.
 */
type Log = (message: string, context?: string) => void;

/**
 * Lines for the host's log. Where the world does not import `wasi:logging/logging`, and in a test, they go to standard error.
 */
export const log: {
  readonly trace: Log;
  readonly debug: Log;
  readonly info: Log;
  readonly warn: Log;
  readonly error: Log;
};
