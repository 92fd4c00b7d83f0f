// Puts the author's files and lines into the stacks of exceptions, by the source map that the build leaves in the component.

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

let map;

/**
 * Called once by the build's code, with the map of the one script that the component is made of.
 */
export function describeSource(sourceMap) {
  map = sourceMap;
}

// Frames that are told of one exception: the innermost, and those that began it. A recursion without end has thousands.
const FIRST_FRAMES = 10;
const LAST_FRAMES = 5;
// Exceptions that are told, each the cause of the one before.
const MOST_CAUSES = 5;

/**
 * The exception as a person reads it: its name and message, then where it was thrown, each line `function (file:line:column)`.
 */
export function readable(error, causes = MOST_CAUSES) {
  // The bindings' own errors are of another realm, so that no instanceof tells them.
  if (typeof error?.stack !== "string") {
    return `an exception that is no Error: ${String(error)}`;
  }
  const cause = error.cause === undefined || causes === 1 ? "" : `\ncaused by: ${readable(error.cause, causes - 1)}`;
  return `${error.name}: ${error.message}${frames(error.stack ?? "")}${cause}`;
}

// SpiderMonkey writes `function@file:line:column`, one a line. What lies outside of the author's files and the SDK's says
// nothing to the author, nor does the glue.
function frames(stack) {
  const frames = [...stack.matchAll(/^(.*)@.*?plugin\.js:([0-9]+):([0-9]+)$/gm)];
  const left = frames.length - FIRST_FRAMES - LAST_FRAMES;
  if (left > 0) {
    frames.splice(FIRST_FRAMES, left);
  }
  const places = originals(frames.map(([, , line, column]) => [Number(line), Number(column)]));
  return frames
    .map(([, called], index) => [called || "top level", places[index]])
    .filter(([, place]) => place !== undefined && !/^(glue|poolhouse\/(glue|shapes)\.js):/.test(place))
    .map(([called, place], index) => `${left > 0 && index === FIRST_FRAMES ? `\n    … ${left} more` : ""}\n    at ${called} (${place})`)
    .join("");
}

/**
 * A text of the engine's, such as an error while the component is built, with the author's places in place of the script's.
 */
export function readableText(text, sourceMap) {
  map = sourceMap;
  const pattern = /plugin\.js:([0-9]+):([0-9]+)/g;
  const places = originals([...text.matchAll(pattern)].map(([, line, column]) => [Number(line), Number(column)]));
  return text.replace(pattern, (found) => places.shift() ?? found);
}

// Of each line and column the place of the last mapping at or before it; undefined where the line has none. One pass over the
// map, which says only what is different from one mapping to the next.
function originals(positions) {
  const places = new Array(positions.length).fill(undefined);
  const last = Math.max(0, ...positions.map(([line]) => line));
  let [source, sourceLine, sourceColumn] = [0, 0, 0];
  (map?.mappings ?? "").split(";", last).forEach((mappings, index) => {
    const here = [...positions.keys()].filter((at) => positions[at][0] === index + 1);
    let generated = 0;
    for (const segment of mappings.split(",")) {
      const [columns = 0, sources = 0, lines = 0, sourceColumns = 0] = numbers(segment);
      generated += columns;
      source += sources;
      sourceLine += lines;
      sourceColumn += sourceColumns;
      for (const at of segment === "" ? [] : here) {
        if (generated < positions[at][1] || places[at] === undefined) {
          places[at] = `${map.sources[source]}:${sourceLine + 1}:${sourceColumn + 1}`;
        }
      }
    }
  });
  return places;
}

// Base64 VLQ: five bits a digit, the least significant first, the sixth tells that more follow; the lowest bit is the sign.
function numbers(segment) {
  const read = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = BASE64.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) === 0) {
      read.push(value & 1 ? -(value >> 1) : value >> 1);
      [value, shift] = [0, 0];
    }
  }
  return read;
}
