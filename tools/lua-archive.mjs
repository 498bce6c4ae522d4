/**
 * Lua's sources: fetched once, checked, unpacked into build/. Plain JavaScript: `setup` runs before anything is
 * installed.
 *
 * Debian's source package first, where there is an apt-get: with lists of its own, since the machine's may be of a
 * release without Lua 5.5, and must not change. Then Debian's pool and the upstream site over the web. It does not
 * matter who delivers: the checksum is the same.
 */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const version = "5.5.1";
const sha256 = "1c4b4068d67061f2a2231ad2b5422e77acea1487ea9890f6320af614f4373dce";
const build = fileURLToPath(new URL("../build", import.meta.url));
const folder = join(build, `lua-${version}`);

const addresses = [
  `https://deb.debian.org/debian/pool/main/l/lua5.5/lua5.5_${version}.orig.tar.gz`,
  `http://deb.debian.org/debian/pool/main/l/lua5.5/lua5.5_${version}.orig.tar.gz`,
  `https://www.lua.org/ftp/lua-${version}.tar.gz`,
];

export function hasLuaSource() {
  return existsSync(join(folder, "src/lvm.c"));
}

function isRight(archive) {
  return createHash("sha256").update(archive).digest("hex") === sha256;
}

/** With the lists of Debian's unstable in a folder of our own. */
function fromAptGet() {
  const place = mkdtempSync(join(tmpdir(), "moth-lua-"));
  try {
    for (const path of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(place, path), { recursive: true });
    const source = join(place, "sources.list");
    const key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    writeFileSync(source, `deb-src [signed-by=${key}] http://deb.debian.org/debian unstable main\n`);
    const options = [
      `Dir::Etc::SourceList=${source}`, "Dir::Etc::SourceParts=/dev/null", `Dir::State::Lists=${join(place, "lists")}`,
      `Dir::Cache=${join(place, "cache")}`,
    ].flatMap((option) => ["-o", option]);
    const run = (...args) => spawnSync("apt-get", [...options, ...args], { cwd: place, encoding: "utf8" });
    if (run("update").status !== 0) return undefined;
    run("source", "--download-only", "--tar-only", "lua5.5");
    const name = readdirSync(place).find((file) => file.startsWith("lua5.5_") && file.endsWith(".orig.tar.gz"));
    return name === undefined ? undefined : readFileSync(join(place, name));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function fromWeb(address) {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(60_000) });
    return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
  } catch {
    return undefined;
  }
}

function unpack(archive) {
  mkdirSync(build, { recursive: true });
  const place = mkdtempSync(join(build, "unpacking-"));
  try {
    const { status, stderr } = spawnSync("tar", ["-xz", "-C", place], { input: archive });
    if (status !== 0) throw new Error(`tar failed: ${stderr}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(place, `lua-${version}`), folder);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Throws an Error, a sentence for people, when nobody delivers the right archive. */
export async function fetchLuaSource(say) {
  const ways = [
    ["apt-get source lua5.5", async () => fromAptGet()],
    ...addresses.map((address) => [address, () => fromWeb(address)]),
  ];
  const refused = [];
  for (const [name, fetchIt] of ways) {
    const archive = await fetchIt();
    if (archive !== undefined && isRight(archive)) {
      unpack(archive);
      say(`Lua ${version} from ${name}, checksum right`);
      return;
    }
    refused.push(`${name} (${archive === undefined ? "no answer" : "wrong checksum"})`);
  }
  throw new Error(`nobody delivers Lua ${version}: tried ${refused.join(", ")}`);
}
