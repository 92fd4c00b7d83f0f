// The errors that a plugin answers with; those of the database are in errors.js.

/**
 * The plugin's own failure: one sentence for a person. Documented in failure.d.ts.
 */
export class Failure extends Error {
  static {
    this.prototype.name = "Failure";
  }

  constructor(message, kind = "failed") {
    super(message);
    this.kind = kind;
    // What the bindings answer in place of the exception.
    Object.defineProperty(this, "payload", { value: { kind, message: this.message } });
  }

  static of(error) {
    if (error instanceof Failure) {
      return error;
    }
    const payload = error?.payload;
    const isFailure = typeof payload?.kind === "string" && typeof payload.message === "string";
    return isFailure ? new Failure(payload.message, payload.kind) : undefined;
  }
}

/**
 * An error of a type that the plugin's own WIT defines. Documented in failure.d.ts.
 */
export class WitError extends Error {
  static {
    this.prototype.name = "WitError";
  }

  constructor(payload, message = typeof payload === "string" ? payload : JSON.stringify(payload, bigintAsText)) {
    super(message);
    Object.defineProperty(this, "payload", { value: payload });
  }
}

function bigintAsText(_, value) {
  return typeof value === "bigint" ? String(value) : value;
}
