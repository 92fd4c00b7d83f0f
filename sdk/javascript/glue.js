// Stands between the contract's bindings and the author's code: which exceptions are answers and which are bugs, and what a
// strategy class is to the host. The build calls it; plugins do not.

import { Decimal } from "./decimal.js";
import { DatabaseError } from "./errors.js";
import { Failure } from "./failure.js";
import { checker, shown } from "./shapes.js";
import { readable } from "./stack.js";
import { Bar, Parameters } from "./strategy.js";

const count = checker("u32");

export { provide } from "./host.js";
export { describeSource } from "./stack.js";

/**
 * The interface `poolhouse:trading/strategy` of a strategy class.
 */
export function exportStrategy(file, name, strategy) {
  const where = `\`${name}\` of ${file}`;
  check(where, typeof strategy === "function", "is no class");
  for (const method of ["warmUpBars", "onBar"]) {
    check(where, typeof strategy.prototype?.[method] === "function", `has no method \`${method}\``);
  }
  check(where, typeof strategy.description?.summary === "string", "has no `static description` with a `summary`");
  // Once, while the component is built, so that a mistake in it is the build's error.
  const description = Object.freeze({
    summary: strategy.description.summary,
    parameters: Object.entries(strategy.description.parameters ?? {}).map(([name, info]) => parameter(where, name, info)),
  });

  class Instance {
    static create(parameters) {
      try {
        const instance = new Instance();
        instance.strategy = new strategy(new Parameters(parameters.map(({ name, value }) => [name, value])));
        return instance;
      } catch (error) {
        throw sentence(error);
      }
    }

    warmUpBars() {
      try {
        return count(`\`warmUpBars\` of ${where} answered`, this.strategy.warmUpBars());
      } catch (error) {
        throw bug(error);
      }
    }

    onBar(fields) {
      try {
        return signals(where, this.strategy.onBar(new Bar(fields)));
      } catch (error) {
        throw sentence(error);
      }
    }
  }

  return { describe: () => description, Instance };
}

/**
 * An interface whose functions are methods of an object: all that are named must be there, each with what it answers by its WIT.
 * `this` is the object in them.
 */
export function exportInterface(file, name, object, functions) {
  check(`\`${name}\` of ${file}`, object !== null && (typeof object === "object" || typeof object === "function"), "is no object with functions");
  return Object.fromEntries(
    Object.entries(functions).map(([called, answers]) => [called, exportFunction(file, `${name}.${called}`, object[called], answers, object)]),
  );
}

/**
 * A function of a world, or of an interface.
 */
export function exportFunction(file, name, call, answers, self) {
  const where = `\`${name}\` of ${file}`;
  check(where, typeof call === "function", "is no function");
  // What a function with an error answers is what it answers without one: the error is thrown.
  const fits = checker((answers?.result === undefined ? answers : answers.result.ok) ?? null);
  return (...args) => {
    try {
      return fits(`${where} answered`, settled(where, call.apply(self, args)));
    } catch (error) {
      throw failure(error);
    }
  };
}

function check(where, holds, what) {
  if (!holds) {
    throw new Error(`${where} ${what}, as wit/world.wit asks for`);
  }
}

function parameter(where, name, { kind, summary, minimum, maximum, default: initial }) {
  const known = ["integer", "number", "text", "boolean"].includes(kind);
  check(`parameter \`${name}\` of ${where}`, known && typeof summary === "string", "lacks its `kind` (integer, number, text or boolean) or `summary`");
  return { name, kind, summary, minimum: plain(minimum), maximum: plain(maximum), default: plain(initial) };
}

// Numbers without an exponent.
function plain(value) {
  return typeof value === "number" ? String(Decimal.shortest(value) ?? value) : value === undefined ? undefined : String(value);
}

function signals(where, answer) {
  if (!Array.isArray(answer)) {
    throw new TypeError(`\`onBar\` of ${where} answered ${shown(answer)}; it must answer an array of signals, which may be empty`);
  }
  for (const signal of answer) {
    const side = signal?.side;
    if (side !== "buy" && side !== "sell") {
      throw new TypeError(`\`onBar\` of ${where} answered ${shown(signal)} as a signal; a signal is Signal.buy() or Signal.sell()`);
    }
  }
  return answer;
}

// The bindings would wait for a promise, but the database does not: what it awaits would run after its transaction's end.
function settled(where, answer) {
  if (typeof answer?.then === "function") {
    throw new TypeError(`${where} answered a promise; the functions of a plugin are synchronous`);
  }
  return answer;
}

// For functions that answer `result<_, string>`: a strategy's.
function sentence(error) {
  if (error instanceof Failure || error instanceof DatabaseError) {
    return { payload: error.message };
  }
  return bug(error);
}

/**
 * A function of another plugin, which is not asked for anything that it does not take.
 */
export function importFunction(name, call, takes) {
  const fit = takes.map((shape) => checker(shape));
  return (...args) => {
    fit.forEach((fits, index) => fits(`\`${name}\` was given`, args[index]));
    return call(...args);
  };
}

function failure(error) {
  if (error instanceof DatabaseError) {
    return new Failure(error.message);
  }
  // A failure, an error of the plugin's own type, or what another plugin answered: the bindings take it from here.
  if (error !== null && typeof error === "object" && Object.hasOwn(error, "payload")) {
    return error;
  }
  return bug(error);
}

function bug(error) {
  return new Bug(error);
}

/**
 * An exception that is nobody's answer. The bindings take the `payload` of what is thrown for the answer's error, and trap where
 * reading it throws, as it does where a function has no error to answer. What ended it, the engine writes to standard error,
 * which the host logs, in the words of `toSource`.
 */
class Bug {
  constructor(error) {
    Object.defineProperty(this, "payload", {
      get: () => {
        throw this;
      },
    });
    this.error = error;
  }

  toSource() {
    return readable(this.error);
  }
}
