// Runs a plugin's tests, the files `*.test.ts` and `*.test.js` of the folder that it is started in: `npm test`. Node 22.18 and later
// read TypeScript by themselves; for an older one the types are stripped by the compiler that `host build` has installed.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const folder = process.cwd();
const tests = readdirSync(folder).filter((name) => /\.test\.(ts|js)$/.test(name));
const needsStripping = tests.some((name) => name.endsWith(".ts")) && !process.features.typescript;

if (tests.length === 0) {
  fail(`there is no test in ${folder}: a test's file is named like plugin.test.js`);
} else if (!needsStripping) {
  run(tests);
} else {
  const esbuild = findEsbuild();
  if (esbuild === undefined) {
    fail(`Node ${process.versions.node} does not read TypeScript: run \`host build .\` once, which installs a compiler, or use Node 22.18 or later`);
  } else {
    run(await Promise.all(tests.map((name) => strip(esbuild, name))));
  }
}

function findEsbuild() {
  try {
    // Where the last build found its tools.
    const toolchain = readFileSync(join(folder, "target", "toolchain"), "utf8");
    return createRequire(join(toolchain, "package.json"))("esbuild");
  } catch {
    return undefined;
  }
}

/**
 * One test with all that it imports in one script, which maps to the author's lines.
 */
async function strip(esbuild, name) {
  const outfile = join(folder, "target", "tests", name.replace(/\.ts$/, ".mjs"));
  mkdirSync(join(folder, "target", "tests"), { recursive: true });
  await esbuild.build({
    bundle: true,
    entryPoints: [join(folder, name)],
    format: "esm",
    outfile,
    platform: "node",
    // Other plugins' interfaces, which are not there in a test.
    plugins: [{ name: "wit", setup: ({ onResolve }) => onResolve({ filter: /^[a-z0-9-]+:/ }, ({ path }) => ({ path, external: true })) }],
    sourcemap: "inline",
    target: "es2022",
  });
  return outfile;
}

function run(files) {
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { cwd: folder, stdio: "inherit" });
  process.exitCode = status ?? 1;
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
