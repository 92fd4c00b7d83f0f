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
 * The value, if it is of the shape.
 *
 * @throws {TypeError} `where` begins its message; it says what the value is and what it must be.
 */
export function checked(where, shape, value) {
  const wrong = trouble(shape, value, "");
  if (wrong !== undefined) {
    throw new TypeError(`${where} ${wrong}`);
  }
  return value;
}

// What is wrong with it, or undefined; `path` leads to it, such as `.rows[3].id`.
function trouble(shape, value, path) {
  const wrong = (wanted) => `${shown(value)}${path === "" ? "" : ` as ${path}`}; it must be ${wanted}`;
  if (shape === null) {
    return undefined;
  }
  if (typeof shape === "string") {
    return primitive(shape, value, wrong);
  }
  const [[kind, inner]] = Object.entries(shape);
  switch (kind) {
    case "option": {
      // An option of an option, or of a type that has `undefined` itself, is `{ tag, val }`.
      const isNested = inner !== null && typeof inner === "object" && "option" in inner;
      return value === undefined || value === null || isNested ? undefined : trouble(inner, value, path);
    }
    case "list":
      if (ArrayBuffer.isView(value)) {
        return undefined;
      }
      return Array.isArray(value) ? first(value.map((item, index) => [inner, item, `${path}[${index}]`])) : wrong("an array");
    case "tuple":
      return Array.isArray(value) && value.length === inner.length
        ? first(value.map((item, index) => [inner[index], item, `${path}[${index}]`]))
        : wrong(`an array of ${inner.length}`);
    case "record":
      return value !== null && typeof value === "object"
        ? first(Object.entries(inner).map(([name, field]) => [field, value[camel(name)], `${path}.${camel(name)}`]))
        : wrong(`an object with ${Object.keys(inner).map(camel).join(", ")}`);
    case "enum":
      return inner.includes(value) ? undefined : wrong(`one of ${inner.map((name) => `"${name}"`).join(", ")}`);
    case "variant":
    case "result":
      return value !== null && typeof value === "object" && Object.hasOwn(inner, value.tag)
        ? trouble(inner[value.tag], value.val, `${path}.val`)
        : wrong(`an object whose tag is ${Object.keys(inner).map((name) => `"${name}"`).join(" or ")}`);
  }
}

function primitive(shape, value, wrong) {
  if (shape in INTEGERS) {
    const [least, most] = INTEGERS[shape];
    const kind = typeof least;
    const fits = typeof value === kind && (kind === "bigint" || Number.isInteger(value)) && value >= least && value <= most;
    const n = kind === "bigint" ? "n" : "";
    return fits ? undefined : wrong(`a ${kind === "bigint" ? "bigint" : "whole number"} from ${least}${n} to ${most}${n}`);
  }
  switch (shape) {
    case "bool":
      return typeof value === "boolean" ? undefined : wrong("true or false");
    case "f32":
    case "f64":
      return typeof value === "number" ? undefined : wrong("a number");
    default:
      return typeof value === "string" ? undefined : wrong("a string");
  }
}

function first(parts) {
  for (const [shape, value, path] of parts) {
    const wrong = trouble(shape, value, path);
    if (wrong !== undefined) {
      return wrong;
    }
  }
  return undefined;
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
  return name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}
