// What the author of a plugin reads when it can't be built.

import { readableText } from "../stack.js";

/**
 * A mistake in the plugin, already written for its author.
 */
export class BuildError extends Error {}

/**
 * The engine's words for an exception that came while it loaded the plugin, with the author's files and lines in place of the script's.
 */
export function loadError(text, sourceMap) {
  const told = readableText(text, sourceMap);
  const thrown = /Exception while evaluating top-level script\n(\S+) (.*)/.exec(told);
  if (thrown === null) {
    return told;
  }
  const [, place, message] = thrown;
  if (place.startsWith("poolhouse/glue.js:")) {
    return message.replace(/^Error: /, "");
  }
  const frames = [...told.matchAll(/^ {2}(.*)@(\S+)$/gm)].filter(([, , at]) => !at.startsWith("glue:"));
  const stack = frames.map(([, called, at]) => `\n    at ${called || "top level"} (${at})`).join("");
  return `the plugin threw an exception while it was loaded: ${message}${stack || `\n    at ${place}`}`;
}
