// What the plugin's world imports and exports, by the types that jco makes of the WIT; the WIT itself is read by jco alone.

import { camel } from "../shapes.js";
import { BuildError } from "./errors.mjs";

// Interfaces that the SDK speaks for: authors never see their bindings.
const OF_THE_SDK = /^(poolhouse:database|poolhouse:trading|wasi:logging)\//;

/**
 * The world: `imports`, ids such as `poolhouse:database/database@0.1.0`; `called`, those of other plugins, with what each of their
 * functions takes; `exports`, each with its id, the name that the plugin exports it under and its functions, with what each answers;
 * `types`, the text of types/wit.d.ts, empty where the SDK has all types. `signatures` are the host's, of the same world.
 */
export async function readWorld(tools, wit, worldName, signatures) {
  const { typesComponent } = await tools.import("@bytecodealliance/jco/src/cmd/types.js");
  let files;
  try {
    files = await typesComponent(wit, { worldName, guest: true });
  } catch (error) {
    throw new BuildError(error.message.trim().replaceAll(wit, "wit"));
  }
  const texts = Object.entries(files).map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]);
  const [, main] = texts.find(([name]) => !name.includes("/"));
  const interfaces = new Map(texts.filter(([name]) => name.includes("/")).map(([, text]) => [moduleOf(text), text]));

  const imports = [...main.matchAll(/from '([^']+)'; \/\/ import /g)].map(([, id]) => id);
  const exports = [...main.matchAll(/export \* as (\w+) from '([^']+)'; \/\/ export /g)].map(([, name, id]) => ({
    name,
    id,
    functions: withSignatures(functionsOf(interfaces.get(id)), signatures.exports[id], ({ answers }) => answers),
  }));
  const own = withSignatures(functionsOf(main.slice(main.indexOf("{"))), signatures.exports[""], ({ answers }) => answers);
  for (const [name, answers] of Object.entries(own)) {
    exports.push({ name, id: undefined, functions: {}, answers });
  }
  const called = Object.fromEntries(
    imports
      .filter((id) => !OF_THE_SDK.test(id) && !id.startsWith("wasi:") && interfaces.has(id))
      .map((id) => [id, withSignatures(functionsOf(interfaces.get(id)), signatures.imports[id], ({ takes }) => takes)]),
  );
  return { imports, called, exports, types: typesFor(interfaces) };
}

// Of functions named as the bindings have them.
function withSignatures(names, signatures = {}, part) {
  const known = new Map(Object.entries(signatures).map(([name, signature]) => [camel(name), part(signature)]));
  return Object.fromEntries(names.map((name) => [name, known.get(name) ?? null]));
}

function moduleOf(text) {
  return /declare module '([^']+)'/.exec(text)[1];
}

function functionsOf(text) {
  // Those whose names are words of JavaScript are exported by another line.
  return [...text.matchAll(/^ {2}export (?:function (\w+)\(|\{ \w+ as (\w+) \};?)/gm)].map(([, name, word]) => name ?? word);
}

/**
 * The plugin's own interfaces, and those of the SDK that they take types from.
 */
function typesFor(interfaces) {
  const wanted = new Set([...interfaces.keys()].filter((id) => !OF_THE_SDK.test(id)));
  for (const id of wanted) {
    for (const [, used] of (interfaces.get(id) ?? "").matchAll(/import\('([^']+)'\)/g)) {
      wanted.add(used);
    }
  }
  const bodies = [...wanted].sort().map((id) => interfaces.get(id).replace(/^\/\/\/ <reference.*\n/gm, "").trim());
  return wanted.size === 0
    ? ""
    : `// Types of the plugin's interfaces, made from wit/ by \`host build\`; changes here are lost.\n\n${bodies.join("\n\n")}\n`;
}
