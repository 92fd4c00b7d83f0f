// Whether a value is what a function's WIT type takes. The bindings make another of it without a word where it is not: 2^70 becomes
// the 0 of 64 bits, and -1 becomes 4294967295. The build hands the types over, as host/authoring/src/signatures.rs writes them.

const INTEGERS = {
  u8: [0, 2 ** 8 - 1],
  u16: [0, 2 ** 16 - 1],
  u32: [0, 2 ** 32 - 1],
  s8: [-(2 ** 7), 2 ** 7 - 1],
  s16: [-(2 ** 15), 2 ** 15 - 1],
  s32: [-(2 ** 31), 2 ** 31 - 1],
  u64: [0n, 2n ** 64n - 1n],
  s64: [-(2n ** 63n), 2n ** 63n - 1n],
};

// Of a value in a message.
const LONGEST = 60;

/**
 * What gives back a value of the shape, and throws a `TypeError` for any other: `where` begins its message, which says what the value
 * is and what it must be.
 */
export function checker(shape) {
  const trouble = shape === null ? undefined : troubles(shape);
  return (where, value) => {
    const wrong = trouble?.(value);
    if (wrong !== undefined) {
      throw new TypeError(`${where} ${shown(wrong.value)}${wrong.path === "" ? "" : ` as ${wrong.path}`}; it must be ${wrong.wanted}`);
    }
    return value;
  };
}

// What finds what is wrong with a value, undefined or `{ value, wanted, path }`: the path leads to it, such as `.rows[3].id`, and is
// put together only where there is something, for an answer can have a million parts.
function troubles(shape) {
  if (typeof shape === "string") {
    return primitive(shape);
  }
  const [[kind, inner]] = Object.entries(shape);
  switch (kind) {
    case "option": {
      const trouble = part(inner);
      // An option of an option is `{ tag, val }`.
      const isNested = inner !== null && typeof inner === "object" && "option" in inner;
      return (value) => (value === undefined || value === null || isNested ? undefined : trouble(value));
    }
    case "list": {
      const trouble = part(inner);
      return (value) => {
        if (ArrayBuffer.isView(value)) {
          return undefined;
        }
        if (!Array.isArray(value)) {
          return wrong(value, "an array");
        }
        for (let index = 0; index < value.length; index++) {
          const found = trouble(value[index]);
          if (found !== undefined) {
            return within(`[${index}]`, found);
          }
        }
        return undefined;
      };
    }
    case "tuple": {
      const parts = inner.map(part);
      return (value) =>
        Array.isArray(value) && value.length === parts.length ? first(parts, (index) => [`[${index}]`, value[index]]) : wrong(value, `an array of ${parts.length}`);
    }
    case "record": {
      const names = Object.keys(inner).map(camel);
      const parts = Object.values(inner).map(part);
      return (value) =>
        value !== null && typeof value === "object"
          ? first(parts, (index) => [`.${names[index]}`, value[names[index]]])
          : wrong(value, `an object with ${names.join(", ")}`);
    }
    case "enum": {
      const wanted = `one of ${inner.map((name) => `"${name}"`).join(", ")}`;
      return (value) => (inner.includes(value) ? undefined : wrong(value, wanted));
    }
    case "variant":
    case "result": {
      const parts = new Map(Object.entries(inner).map(([tag, payload]) => [tag, part(payload)]));
      const wanted = `an object whose tag is ${[...parts.keys()].map((name) => `"${name}"`).join(" or ")}`;
      return (value) => {
        const trouble = value !== null && typeof value === "object" ? parts.get(value.tag) : undefined;
        return trouble === undefined ? wrong(value, wanted) : within(".val", trouble(value.val));
      };
    }
  }
}

function part(shape) {
  return shape === null ? () => undefined : troubles(shape);
}

function wrong(value, wanted) {
  return { value, wanted, path: "" };
}

function within(step, found) {
  return found && { ...found, path: step + found.path };
}

function first(parts, at) {
  for (let index = 0; index < parts.length; index++) {
    const [step, value] = at(index);
    const found = parts[index](value);
    if (found !== undefined) {
      return within(step, found);
    }
  }
  return undefined;
}

function primitive(shape) {
  if (shape in INTEGERS) {
    const [least, most] = INTEGERS[shape];
    if (typeof least === "bigint") {
      const wanted = `a bigint from ${least}n to ${most}n`;
      return (value) => (typeof value === "bigint" && value >= least && value <= most ? undefined : wrong(value, wanted));
    }
    const wanted = `a whole number from ${least} to ${most}`;
    return (value) => (Number.isInteger(value) && value >= least && value <= most ? undefined : wrong(value, wanted));
  }
  const [type, wanted] = { bool: ["boolean", "true or false"], f32: ["number", "a number"], f64: ["number", "a number"], string: ["string", "a string"] }[shape];
  return (value) => (typeof value === type ? undefined : wrong(value, wanted));
}

/**
 * A value in a message.
 */
export function shown(value) {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value);
    case "bigint":
      return `${String(value).slice(0, LONGEST)}n`;
    case "object":
      return value === null ? "null" : Array.isArray(value) ? `an array of ${value.length}` : `an object (${value.constructor?.name ?? "Object"})`;
    case "function":
      return "a function";
    default:
      return String(value);
  }
}

/**
 * A name of WIT as the bindings have it.
 */
export function camel(name) {
  const words = name.toLowerCase().split("-");
  return words.map((word, index) => (index === 0 ? word : word[0].toUpperCase() + word.slice(1))).join("");
}
