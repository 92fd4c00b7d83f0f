// Types of everything that a plugin imports as `#poolhouse`.

/// <reference path="./globals.d.ts" />

export * from "./decimal.js";
export * from "./errors.js";
export * from "./failure.js";
export * from "./log.js";
export * from "./migrations.js";
export * from "./rows.js";
export * from "./session.js";
export * from "./strategy.js";
export * from "./time.js";
export * from "./values.js";
