// Makes a component of one plugin: types from its WIT, type check, bundle, the glue around it, the engine. Where things lie, the
// caller says; what it prints on standard error is what the plugin's author reads.
//
//   node build.mjs --plugin DIR --language typescript|javascript --sdk DIR --wit DIR --world NAME
//                  --signatures FILE.json --toolchain DIR --work DIR --out FILE.wasm

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { bundle, findExports } from "./build/bundle.mjs";
import { BuildError, loadError } from "./build/errors.mjs";
import { glue } from "./build/glue.mjs";
import { typeCheck } from "./build/types.mjs";
import { readWorld } from "./build/world.mjs";

const { values: options } = parseArgs({
  options: Object.fromEntries(
    ["plugin", "language", "sdk", "wit", "world", "signatures", "toolchain", "work", "out"].map((name) => [name, { type: "string" }]),
  ),
});

try {
  await build(options);
} catch (error) {
  console.error(error instanceof BuildError ? error.message : error);
  process.exitCode = 1;
}

async function build({ language, world: worldName, signatures, ...paths }) {
  const [plugin, sdk, wit, toolchain, work, out] = ["plugin", "sdk", "wit", "toolchain", "work", "out"].map((name) => resolve(paths[name]));
  const source = join(plugin, language === "typescript" ? "plugin.ts" : "plugin.js");
  if (!existsSync(source)) {
    throw new BuildError(`${source} is not there; a plugin in ${language} has its code in ${basename(source)}`);
  }
  mkdirSync(work, { recursive: true });
  // For run-tests.mjs, which may need the compiler.
  mkdirSync(join(plugin, "target"), { recursive: true });
  writeFileSync(join(plugin, "target", "toolchain"), toolchain);
  const tools = {
    require: createRequire(join(toolchain, "package.json")),
    import: (path) => import(pathToFileURL(join(toolchain, "node_modules", path))),
  };

  const world = await readWorld(tools, wit, worldName, JSON.parse(readFileSync(signatures, "utf8")));
  writeTypes(plugin, world);
  if (language === "typescript") {
    typeCheck(tools, { plugin, source, sdk, world });
  }
  const names = await findExports(tools, { source, sdk, world });
  const entry = glue({ source, sdk, world, names });
  const { code, sourceMap } = await bundle(tools, { entry, plugin, sdk, world, work });

  writeFileSync(out, await componentize(tools, { code, wit, worldName, sourceMap }));
}

/**
 * What an editor knows of the plugin's own interfaces; left alone where it says the same already.
 */
function writeTypes(plugin, world) {
  const file = join(plugin, "types", "wit.d.ts");
  if (world.types === "" || (existsSync(file) && readFileSync(file, "utf8") === world.types)) {
    return;
  }
  mkdirSync(join(plugin, "types"), { recursive: true });
  writeFileSync(file, world.types);
}

/**
 * Runs the script once, and keeps the engine as it is then. That happens in a folder of the system's, whose name has no blanks: the
 * engine takes its files' names from one line.
 */
async function componentize(tools, { code, wit, worldName, sourceMap }) {
  const { componentize } = await tools.import("@bytecodealliance/componentize-js/src/componentize.js");
  const scratch = mkdtempSync(join(tmpdir(), "poolhouse-"));
  const script = join(scratch, "plugin.js");
  // Its own files lie there too, and go with it.
  process.env.TMPDIR = scratch;
  try {
    writeFileSync(script, code);
    const { component } = await componentize({
      sourcePath: script,
      witPath: wit,
      worldName,
      disableFeatures: ["http", "fetch-event"],
    });
    return component;
  } catch (error) {
    throw new BuildError(loadError(error.message, sourceMap));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
