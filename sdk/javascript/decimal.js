// Exact decimal numbers in the contract's text form; nothing here rounds unless it is asked to.

const PATTERN = /^-?[0-9]+(\.[0-9]+)?$/;

// Made within the class, where the private fields are.
let make;

/**
 * Documented in decimal.d.ts.
 */
export class Decimal {
  // Either may be missing until it is asked for: most decimals of a result are only read, or only computed with.
  #text;
  #digits;
  #scale = 0;

  constructor(value) {
    switch (typeof value) {
      case "string":
        if (!PATTERN.test(value)) {
          throw new RangeError(`\`${value}\` is no decimal number: an optional \`-\`, digits, and an optional \`.\` with digits`);
        }
        this.#read(value);
        break;
      case "bigint":
        this.#digits = value;
        break;
      case "number":
        if (!Number.isSafeInteger(value)) {
          throw new RangeError(`${value} is no exact whole number: give a decimal as text, or use Decimal.shortest`);
        }
        this.#digits = BigInt(value);
        break;
      default:
        if (!(value instanceof Decimal)) {
          throw new TypeError(`a decimal is made of a text, a bigint or a whole number, not of ${value === null ? "null" : typeof value}`);
        }
        this.#digits = value.#toDigits();
        this.#scale = value.#scale;
    }
  }

  static scaled(digits, scale) {
    checkScale(scale);
    return make(BigInt(digits), scale);
  }

  static parse(text) {
    return typeof text === "string" && PATTERN.test(text) ? new Decimal(text) : undefined;
  }

  static shortest(number) {
    if (typeof number !== "number" || !Number.isFinite(number)) {
      return undefined;
    }
    const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:e([+-][0-9]+))?$/.exec(String(number));
    const digits = BigInt(sign + whole + fraction);
    const scale = fraction.length - Number(exponent);
    return scale >= 0 ? make(digits, scale) : make(digits * 10n ** BigInt(-scale), 0);
  }

  static sum(decimals) {
    let sum = ZERO;
    for (const decimal of decimals) {
      sum = sum.add(decimal);
    }
    return sum;
  }

  get scale() {
    return this.#scale;
  }

  get sign() {
    const digits = this.#toDigits();
    return digits > 0n ? 1 : digits < 0n ? -1 : 0;
  }

  get isZero() {
    return this.#toDigits() === 0n;
  }

  get isPositive() {
    return this.#toDigits() > 0n;
  }

  get isNegative() {
    return this.#toDigits() < 0n;
  }

  add(other) {
    const [a, b, scale] = this.#aligned(decimal(other));
    return make(a + b, scale);
  }

  subtract(other) {
    const [a, b, scale] = this.#aligned(decimal(other));
    return make(a - b, scale);
  }

  multiply(other) {
    const by = decimal(other);
    return make(this.#toDigits() * by.#toDigits(), this.#scale + by.#scale);
  }

  negate() {
    return make(-this.#toDigits(), this.#scale);
  }

  abs() {
    return this.isNegative ? this.negate() : this;
  }

  compare(other) {
    const [a, b] = this.#aligned(decimal(other));
    return a < b ? -1 : a > b ? 1 : 0;
  }

  equals(other) {
    return this.compare(other) === 0;
  }

  round(scale, rounding) {
    checkScale(scale);
    const fewer = this.#scale - scale;
    if (fewer <= 0) {
      return make(this.#toDigits() * 10n ** BigInt(-fewer), scale);
    }
    return make(divideRounded(this.#toDigits(), 10n ** BigInt(fewer), rounding), scale);
  }

  divide(divisor, scale, rounding) {
    checkScale(scale);
    const by = decimal(divisor);
    const shift = scale + by.#scale - this.#scale;
    const power = 10n ** BigInt(Math.abs(shift));
    const dividend = shift >= 0 ? this.#toDigits() * power : this.#toDigits();
    const divided = shift >= 0 ? by.#toDigits() : by.#toDigits() * power;
    return make(divideRounded(dividend, divided, rounding), scale);
  }

  toNumber() {
    return Number(this.toString());
  }

  toBigInt() {
    const power = 10n ** BigInt(this.#scale);
    if (this.#toDigits() % power !== 0n) {
      throw new RangeError(`${this} is no whole number; round it first`);
    }
    return this.#digits / power;
  }

  toString() {
    if (this.#text === undefined) {
      const digits = this.#digits;
      const text = (digits < 0n ? -digits : digits).toString().padStart(this.#scale + 1, "0");
      const point = text.length - this.#scale;
      const unsigned = this.#scale === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
      this.#text = digits < 0n ? `-${unsigned}` : unsigned;
    }
    return this.#text;
  }

  toJSON() {
    return this.toString();
  }

  // Without this `a < b` would compare texts, and `a + b` join them.
  valueOf() {
    throw new TypeError("a Decimal is no number: use compare, equals, add and the like, or toNumber where digits may be lost");
  }

  get [Symbol.toStringTag]() {
    return "Decimal";
  }

  [Symbol.for("nodejs.util.inspect.custom")]() {
    return `Decimal(${this})`;
  }

  #read(text) {
    const point = text.indexOf(".");
    this.#scale = point < 0 ? 0 : text.length - point - 1;
    const first = text[0] === "-" ? 1 : 0;
    // `007` and `-0` have a plainer text, which is made of the digits.
    if (first === 1 || (text[first] === "0" && point !== first + 1 && text.length > first + 1)) {
      this.#digits = BigInt(text.replace(".", ""));
    } else {
      this.#text = text;
    }
  }

  #toDigits() {
    if (this.#digits === undefined) {
      this.#digits = BigInt(this.#scale === 0 ? this.#text : this.#text.replace(".", ""));
    }
    return this.#digits;
  }

  #aligned(other) {
    const a = this.#toDigits();
    const b = other.#toDigits();
    if (this.#scale === other.#scale) {
      return [a, b, this.#scale];
    }
    if (this.#scale < other.#scale) {
      return [a * 10n ** BigInt(other.#scale - this.#scale), b, other.#scale];
    }
    return [a, b * 10n ** BigInt(this.#scale - other.#scale), this.#scale];
  }

  static {
    make = (digits, scale) => {
      const made = new Decimal(digits);
      made.#scale = scale;
      return made;
    };
  }
}

const ZERO = new Decimal(0n);

function decimal(value) {
  return value instanceof Decimal ? value : new Decimal(value);
}

function checkScale(scale) {
  if (!Number.isSafeInteger(scale) || scale < 0) {
    throw new RangeError(`a scale is a number of digits after the point, not ${scale}`);
  }
}

// The exact quotient, rounded once.
function divideRounded(dividend, divisor, rounding) {
  if (divisor === 0n) {
    throw new RangeError("a decimal can't be divided by 0");
  }
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  if (rest === 0n) {
    checkRounding(rounding);
    return quotient;
  }
  const away = dividend < 0n === divisor < 0n ? 1n : -1n;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const size = divisor < 0n ? -divisor : divisor;
  const half = twice === size ? 0 : twice > size ? 1 : -1;
  switch (checkRounding(rounding)) {
    case "down":
      return quotient;
    case "up":
      return quotient + away;
    case "half-up":
      return half >= 0 ? quotient + away : quotient;
    case "half-even":
      return half > 0 || (half === 0 && quotient % 2n !== 0n) ? quotient + away : quotient;
    case "floor":
      return away < 0n ? quotient + away : quotient;
    case "ceiling":
      return away > 0n ? quotient + away : quotient;
  }
}

const ROUNDINGS = ["half-even", "half-up", "down", "up", "floor", "ceiling"];

function checkRounding(rounding) {
  if (!ROUNDINGS.includes(rounding)) {
    throw new TypeError(`a rounding is one of ${ROUNDINGS.join(", ")}, not ${rounding}`);
  }
  return rounding;
}
