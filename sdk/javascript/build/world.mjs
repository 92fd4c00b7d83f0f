// What the plugin's world imports and exports, by the types that jco makes of the WIT; the WIT itself is read by jco alone.

import { BuildError } from "./errors.mjs";

// Interfaces that the SDK speaks for: authors never see their bindings.
const OF_THE_SDK = /^(poolhouse:database|poolhouse:trading|wasi:logging)\//;

/**
 * The world: `imports`, ids such as `poolhouse:database/database@0.1.0`; `exports`, each with its id, the name that the plugin
 * exports it under and its functions; `types`, the text of types/wit.d.ts, empty where the SDK has all types.
 */
export async function readWorld(tools, wit, worldName) {
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
    functions: functionsOf(interfaces.get(id)),
  }));
  for (const name of functionsOf(main.slice(main.indexOf("{")))) {
    exports.push({ name, id: undefined, functions: [] });
  }
  return { imports, exports, types: typesFor(interfaces) };
}

function moduleOf(text) {
  return /declare module '([^']+)'/.exec(text)[1];
}

function functionsOf(text) {
  return [...text.matchAll(/^ {2}export function (\w+)\(/gm)].map(([, name]) => name);
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
