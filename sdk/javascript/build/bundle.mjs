// Puts the author's modules, the SDK and the glue into one script, and keeps the map to the author's lines; types are
// another step's business.

import { isAbsolute, join, relative, resolve } from "node:path";

import { BuildError } from "./errors.mjs";
import { SOURCE_MAP } from "./glue.mjs";

/**
 * The names that the author's module exports.
 */
export async function findExports(tools, { source, sdk, world }) {
  const { metafile } = await run(tools, { entryPoints: [source], outfile: "plugin.js", metafile: true }, { sdk, world });
  return metafile.outputs[Object.keys(metafile.outputs)[0]].exports;
}

/**
 * The whole script, and its source map.
 */
export async function bundle(tools, { entry, plugin, sdk, world, work }) {
  const { outputFiles } = await run(
    tools,
    {
      stdin: { contents: entry, resolveDir: plugin, sourcefile: "glue" },
      outfile: join(work, "plugin.js"),
      sourcemap: "external",
      sourcesContent: false,
    },
    { sdk, world },
  );
  const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;
  const { sources, mappings } = JSON.parse(text(".js.map"));
  const sourceMap = { sources: sources.map((path) => shown(resolve(work, path), { plugin, sdk })), mappings };
  return { code: text("plugin.js").replace(SOURCE_MAP, () => JSON.stringify(sourceMap)), sourceMap };
}

async function run(tools, options, { sdk, world }) {
  const esbuild = tools.require("esbuild");
  try {
    return await esbuild.build({
      bundle: true,
      charset: "utf8",
      format: "esm",
      logLevel: "silent",
      platform: "neutral",
      plugins: [resolver(sdk, world)],
      target: "es2022",
      treeShaking: true,
      write: false,
      ...options,
    });
  } catch (error) {
    if (!Array.isArray(error.errors)) {
      throw error;
    }
    const errors = error.errors.map((message) => ({ ...message, notes: [], pluginName: "" }));
    const messages = await esbuild.formatMessages(errors, { kind: "error", color: process.stderr.isTTY });
    throw new BuildError(messages.join("").trim());
  }
}

/**
 * `#poolhouse` is the SDK that the plugin is built with, and ids of WIT are the host's; whatever else is a file or a package.
 */
function resolver(sdk, world) {
  return {
    name: "poolhouse",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^#poolhouse$/ }, () => ({ path: join(sdk, "index.js") }));
      onLoad({ filter: /.*/, namespace: CALLED }, ({ path }) => ({ contents: calling(path, world.called[path], sdk), resolveDir: sdk }));
      onResolve({ filter: /^[a-z][a-z0-9-]*:[a-z]/ }, ({ path, namespace }) => {
        if (world.called[path] !== undefined && namespace !== CALLED) {
          return { path, namespace: CALLED };
        }
        if (world.imports.includes(path)) {
          return { path, external: true };
        }
        const text = path.startsWith("node:")
          ? `a plugin has no modules of Node.js: \`${path}\` is not there`
          : `the world in wit/world.wit does not import \`${path}\`; add \`import ${path};\` to it`;
        return { errors: [{ text }] };
      });
    },
  };
}

// Where a module stands between the author's and an interface of another plugin.
const CALLED = "called";

/**
 * The functions of another plugin's interface, which check what they are given.
 */
function calling(id, functions, sdk) {
  // No name of WIT's has a dollar sign in it.
  const lines = [`import * as $called from ${JSON.stringify(id)};`, `import { importFunction as $import } from ${JSON.stringify(join(sdk, "glue.js"))};`];
  Object.entries(functions).forEach(([name, takes], index) => {
    const quoted = JSON.stringify(name);
    lines.push(`const $${index} = $import(${quoted}, $called[${quoted}], ${JSON.stringify(takes ?? [])});`, `export { $${index} as ${name} };`);
  });
  return `${lines.join("\n")}\n`;
}

/**
 * A file's name as a stack shows it: the plugin's own from its folder on, the SDK's under `poolhouse`.
 */
function shown(path, { plugin, sdk }) {
  for (const [folder, prefix] of [
    [sdk, "poolhouse/"],
    [plugin, ""],
  ]) {
    const inside = relative(folder, path);
    if (!inside.startsWith("..") && !isAbsolute(inside)) {
      return (prefix + inside).replaceAll("\\", "/");
    }
  }
  return path.split(/[\\/]/).at(-1);
}
