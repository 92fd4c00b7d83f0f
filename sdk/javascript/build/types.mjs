// Checks the types of a plugin in TypeScript, by the author's own tsconfig.json; what is printed is the compiler's.

import { existsSync } from "node:fs";
import { basename, join } from "node:path";

import { BuildError } from "./errors.mjs";

/**
 * @throws {BuildError} With the compiler's messages.
 */
export function typeCheck(tools, { plugin, source, sdk, world }) {
  const ts = tools.require("typescript");
  const host = { getCurrentDirectory: () => plugin, getNewLine: () => "\n", getCanonicalFileName: (name) => name };
  const fail = (diagnostics) => {
    const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
    throw new BuildError(format(diagnostics, host).trim());
  };

  const options = readOptions(ts, plugin, fail);
  const types = join(plugin, "types", "wit.d.ts");
  const roots = [source, ...(existsSync(types) ? [types] : [])];
  const program = ts.createProgram(roots, { ...options, noEmit: true, paths: { ...options.paths, "#poolhouse": [join(sdk, "index.d.ts")] } });
  const diagnostics = ts.getPreEmitDiagnostics(program);
  if (diagnostics.length > 0) {
    fail(diagnostics);
  }
  checkExports(ts, program, source, world);
}

function readOptions(ts, plugin, fail) {
  const file = join(plugin, "tsconfig.json");
  if (!existsSync(file)) {
    const { ESNext } = ts.ScriptTarget;
    return { strict: true, target: ESNext, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, skipLibCheck: true, types: [] };
  }
  const { config, error } = ts.readConfigFile(file, ts.sys.readFile);
  if (error) {
    fail([error]);
  }
  const { options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, plugin);
  // An empty folder of files is no matter here: the roots are named.
  const relevant = errors.filter(({ code }) => code !== 18003);
  if (relevant.length > 0) {
    fail(relevant);
  }
  return options;
}

/**
 * Whether what is exported has the functions that the world asks for, also where the author declared no type.
 */
function checkExports(ts, program, source, world) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(source));
  const exported = new Map((module ? checker.getExportsOfModule(module) : []).map((symbol) => [symbol.name, symbol]));
  const wrong = [];
  for (const { name, id, functions } of world.exports) {
    const symbol = exported.get(name);
    const contract = checker.getAmbientModules().find((ambient) => ambient.name === JSON.stringify(id) || ambient.name === `'${id}'`);
    if (symbol === undefined || contract === undefined) {
      continue;
    }
    const given = checker.getTypeOfSymbol(symbol);
    // Whoever wants no types gets none; the component's own start looks for the functions all the same.
    if (given.flags & ts.TypeFlags.Any) {
      continue;
    }
    const wanted = new Map(checker.getExportsOfModule(contract).map((part) => [part.name, part]));
    for (const called of Object.keys(functions)) {
      const property = given.getProperty(called);
      if (property === undefined) {
        wrong.push(`${basename(source)}: \`${name}\` has no function \`${called}\`, which wit/world.wit asks for`);
        continue;
      }
      const [is, should] = [checker.getTypeOfSymbol(property), checker.getTypeOfSymbol(wanted.get(called))];
      if (!checker.isTypeAssignableTo(is, should)) {
        wrong.push(
          `${basename(source)}: \`${name}.${called}\` is \`${checker.typeToString(is)}\`, and wit/world.wit asks for \`${checker.typeToString(should)}\``,
        );
      }
    }
  }
  if (wrong.length > 0) {
    throw new BuildError(wrong.join("\n"));
  }
}
