// `npm run setup`: what a machine with nothing but Node needs before `npm test`. Says each thing before it does it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fetchLuaSource, hasLuaSource } from "./lua-archive.mjs";
import { findTool, systemTools } from "./system-tools.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const help = `Usage: npm run setup [-- options]

Installs what the tests need: the npm packages of the lock file, then these system packages with apt-get
(through sudo when you are not root):
${systemTools.map((tool) => `  ${tool.package.padEnd(26)}${tool.for}`).join("\n")}

Then fetches the sources of Lua 5.5.1 into build/, from Debian's source package or from www.lua.org, and checks them.

Options:
  --dry-run   say what would be done, and do nothing
  -h, --help  show this`;

/** Debian asks it whether a package may start its service; 101 says no. */
const policy = "/usr/sbin/policy-rc.d";

const options = process.argv.slice(2);
const dryRun = options.includes("--dry-run");
const unknown = options.find((option) => !["--dry-run", "--help", "-h"].includes(option));

function stop(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

function isInstalled(name) {
  return findTool({ program: name }) !== undefined;
}

/** Gives whether it went well. */
function attempt(command) {
  console.log(`${dryRun ? "would run" : "running"}: ${command.join(" ")}`);
  if (dryRun) return true;
  const [program, ...rest] = command;
  const result = spawnSync(program, rest, {
    cwd: root,
    stdio: "inherit",
    // npm is a script, not a program, on Windows.
    shell: process.platform === "win32",
  });
  return result.status === 0;
}

function run(command) {
  if (!attempt(command)) stop(`${command.join(" ")} failed: see above, put it right and run setup again`);
}

function missingTools() {
  return systemTools.filter((tool) => findTool(tool) === undefined);
}

function listOf(tools) {
  return tools.map((tool) => tool.package).join(" ");
}

/** The beginning of a command that may change the system. */
function asRoot(missing) {
  if (process.getuid?.() === 0) return [];
  if (isInstalled("sudo")) return ["sudo"];
  return stop(`not root, and there is no sudo: have an administrator run "apt-get install ${listOf(missing)}"`);
}

function installWithApt(missing) {
  const prefix = asRoot(missing);
  run([...prefix, "apt-get", "update"]);
  // Through `env`, because sudo passes no environment on.
  const install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends"];
  const services = missing.some(({ service }) => service !== undefined) && !existsSync(policy);
  if (services) run([...prefix, "sh", "-c", `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod 755 ${policy}`]);
  const installed = attempt([...prefix, ...install, ...missing.map((tool) => tool.package)]);
  if (services) run([...prefix, "rm", policy]);
  if (!installed) stop("apt-get install failed: see above, put it right and run setup again");
  for (const { service } of missing) {
    if (service === undefined || !existsSync("/run/systemd/system")) continue;
    console.log(`the package ${service} brings a service of that name: turning it off, the tests start their own`);
    run([...prefix, "systemctl", "disable", "--now", service]);
  }
}

if (options.includes("--help") || options.includes("-h")) {
  console.log(help);
  process.exit(0);
}
if (unknown !== undefined) stop(`unknown option ${unknown}: see npm run setup -- --help`);

console.log("1. the npm packages of the lock file");
run(["npm", "ci"]);

const missing = missingTools();
console.log(`2. system packages: ${missing.length === 0 ? "all there" : `missing ${listOf(missing)}`}`);
if (missing.length > 0) {
  if (!isInstalled("apt-get")) stop(`there is no apt-get here: install ${listOf(missing)} by hand, then run npm test`);
  installWithApt(missing);
  const still = dryRun ? [] : missingTools();
  if (still.length > 0) stop(`${listOf(still)} installed but not found: look at what apt-get said above`);
}
if (hasLuaSource()) console.log("3. the sources of Lua: all there");
else if (dryRun) console.log("3. the sources of Lua: would be fetched");
else {
  console.log("3. the sources of Lua: fetching them");
  await fetchLuaSource((text) => console.log(text)).catch((error) => stop(error.message));
}
console.log(dryRun ? "nothing was changed" : "ready: npm test");
