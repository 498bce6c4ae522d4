/** The program that a build compiles: the application, and all that it imports, as the Lua runtime sees it. */
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as tstl from "typescript-to-lua";
import ts from "typescript";
import { Failure } from "../failure";

const runtime = fileURLToPath(new URL("../../hal/lua", import.meta.url));

/** `firmware/apps/sensor-board.ts` is built as `sensor-board`. */
export function nameOfApp(app: string): string {
  return basename(app, ".ts");
}

function runtimeOptions(): ts.CompilerOptions {
  const config = join(runtime, "tsconfig.json");
  const host: ts.ParseConfigFileHost = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic({ messageText }) {
      throw new Failure(ts.flattenDiagnosticMessageText(messageText, " "));
    },
  };
  const parsed = ts.getParsedCommandLineOfConfigFile(config, {}, host);
  if (parsed === undefined) throw new Failure(`cannot read ${config}: reinstall moth`);
  return parsed.options;
}

export function createProgram(app: string): ts.Program {
  const options: ts.CompilerOptions & tstl.TypeScriptToLuaOptions = {
    ...runtimeOptions(),
    luaTarget: tstl.LuaTarget.Lua55,
    luaLibImport: tstl.LuaLibImportKind.None,
    luaBundle: `${nameOfApp(app)}.lua`,
    luaBundleEntry: app,
    noHeader: true,
    noImplicitSelf: true,
    noImplicitGlobalVariables: true,
  };
  return ts.createProgram([app], options);
}

/** Everything that ends up in the bundle. */
export function bundledFiles(program: ts.Program): ts.SourceFile[] {
  return program.getSourceFiles().filter((file) => !file.isDeclarationFile);
}

/** Whether a file is the runtime's own half of the bundle, which may use what device code may not. */
export function isRuntime(file: ts.SourceFile): boolean {
  return resolve(file.fileName).startsWith(join(runtime, "/"));
}

/** Whether a module exports an application: `export default …`. */
export function hasDefaultExport(program: ts.Program, app: string): boolean {
  const file = program.getSourceFile(app);
  const checker = program.getTypeChecker();
  const symbol = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  return symbol?.exports?.has(ts.InternalSymbolName.Default) ?? false;
}
