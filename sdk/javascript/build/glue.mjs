// Writes the script that joins the author's module to the world: what is exported goes through the SDK's glue.js.

import { basename, join } from "node:path";

import { BuildError } from "./errors.mjs";

/** Stands for the source map until there is one. It is alone on its line, so that no mapping moves. */
export const SOURCE_MAP = "POOLHOUSE_SOURCE_MAP";

const STRATEGY = /^poolhouse:trading\/strategy@/;
const HOST = { database: /^poolhouse:database\/database@/, logging: /^wasi:logging\/logging@/ };

/**
 * The entry script. `names` are what the author's module exports.
 *
 * @throws {BuildError} Something that the world exports is missing.
 */
export function glue({ source, sdk, world, names }) {
  const file = basename(source);
  const missing = world.exports.filter(({ name }) => !names.includes(name));
  if (missing.length > 0) {
    throw new BuildError(missing.map((wanted) => missingExport(file, wanted)).join("\n"));
  }
  const lines = [
    `import * as plugin from ${JSON.stringify(source)};`,
    `import { describeSource, exportFunction, exportInterface, exportStrategy, provide } from ${JSON.stringify(join(sdk, "glue.js"))};`,
  ];
  const provided = [];
  for (const [name, id] of Object.entries(HOST)) {
    const imported = world.imports.find((imported) => id.test(imported));
    if (imported !== undefined) {
      lines.push(`import * as ${name} from ${JSON.stringify(imported)};`);
      provided.push(name);
    }
  }
  lines.push(`describeSource(`, SOURCE_MAP, `);`, `provide({ ${provided.join(", ")} });`);
  world.exports.forEach(({ name, id, functions, answers }, index) => {
    const where = `${JSON.stringify(file)}, ${JSON.stringify(name)}`;
    const value = `plugin[${JSON.stringify(name)}]`;
    if (id === undefined) {
      lines.push(`const export${index} = exportFunction(${where}, ${value}, ${JSON.stringify(answers)});`, `export { export${index} as ${name} };`);
    } else {
      const made = STRATEGY.test(id)
        ? `exportStrategy(${where}, ${value})`
        : `exportInterface(${where}, ${value}, ${JSON.stringify(functions)})`;
      lines.push(`const export${index} = ${made};`, `export { export${index} as ${JSON.stringify(id)} };`);
    }
  });
  return `${lines.join("\n")}\n`;
}

function missingExport(file, { name, id, functions }) {
  if (id === undefined) {
    return `${file} does not export \`${name}\`, which the world in wit/world.wit exports; add \`export function ${name}(…) {…}\``;
  }
  if (STRATEGY.test(id)) {
    return `${file} does not export \`${name}\`, the strategy's class; add \`export { TheClass as ${name} };\``;
  }
  const shape = Object.keys(functions).map((called) => `${called}(…) {…}`).join(", ");
  return `${file} does not export \`${name}\`, which the world in wit/world.wit exports as ${id}; add \`export const ${name} = { ${shape} };\``;
}
