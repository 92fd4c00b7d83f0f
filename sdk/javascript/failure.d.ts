// Types of failure.js: the errors that a plugin answers with; those of the database are in errors.d.ts.

/**
 * Who failed: `failed` is a plugin's own answer; the others are the host's, about a call to another plugin.
 */
export type FailureKind = "missing" | "trapped" | "timeout" | "limit" | "depth" | "failed";

/**
 * The error that a plugin answers with: one sentence for a person, what happened and what to do.
 *
 * Thrown in a service, it is the error of a function that answers `result<_, failure>`. Thrown in a strategy, it is a refused
 * parameter or the failure of one bar. A `DatabaseError` that nobody catches becomes one. Every other exception is a bug: it
 * ends the call and the instance, and its message and stack go to the host's log.
 *
 * ```js
 * throw new Failure(`account \`${name}\` does not exist; make a deposit first`);
 * ```
 */
export class Failure extends Error {
  constructor(message: string, kind?: FailureKind);
  readonly kind: FailureKind;

  /**
   * What a call to another plugin failed with; undefined if `error` is something else.
   *
   * ```js
   * try {
   *   return latest(symbol);
   * } catch (error) {
   *   if (Failure.of(error)?.kind === "missing") throw new Failure("no plugin gives quotes; load one that does");
   *   throw error;
   * }
   * ```
   */
  static of(error: unknown): Failure | undefined;
}

/**
 * The error of a function whose `result` has an error type of the plugin's own, such as a variant: `payload` is its value in
 * the shape of the types that are made from the WIT.
 */
export class WitError<T = unknown> extends Error {
  constructor(payload: T, message?: string);
  readonly payload: T;
}
