import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function moth(...args: readonly string[]): Outcome {
  return spawnSync(process.execPath, ["tools/moth.mjs", ...args], { encoding: "utf8" });
}

describe("moth", () => {
  it.each([[["--help"]], [["build", "--help"]], [["help", "build"]]])("%j explains and exits 0", (args) => {
    const { status, stdout } = moth(...args);
    expect(status).toBe(0);
    expect(stdout).toContain("Usage: moth");
    if (args.includes("build")) expect(stdout).toContain("--out <dir>");
  });

  it("proposes the verb that was meant, in one line, and exits 1", () => {
    const { status, stderr } = moth("biuld");
    expect(status).toBe(1);
    expect(stderr).toBe("moth: unknown command 'biuld' (Did you mean build?)\n");
  });

  it("refuses a target that it cannot build, in one line", () => {
    const { status, stderr } = moth("build", "app.ts", "--to", "forth");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^moth: option '--to <target>' argument 'forth' is invalid\. .*lua.*\n$/);
  });

  it("says in one line that an application cannot be read", () => {
    expect(moth("build", "nowhere.ts", "--to", "lua")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "moth: cannot read nowhere.ts: no such file or directory\n",
    });
  });

  it("builds, and reports to people and to machines", () => {
    const out = mkdtempSync(join(tmpdir(), "moth-cli-"));
    const args = ["build", "test/tools/fixtures/blinker.ts", "--to", "lua", "--out", out];
    const people = moth(...args);
    expect(people).toMatchObject({ status: 0, stderr: "" });
    expect(people.stdout).toMatch(/bytes of Lua, 4 modules, support code: none/);
    const machines: unknown = JSON.parse(moth(...args, "--json").stdout);
    expect(machines).toMatchObject({ lua: join(out, "blinker.lua"), supportBytes: 0 });
    rmSync(out, { recursive: true });
  });

  it("prints each reason for not building as file:line:column, and exits 1", () => {
    const { status, stdout, stderr } = moth("build", "test/tools/fixtures/leaky.ts", "--to", "lua");
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringMatching(/^test\/tools\/fixtures\/leaky\.ts:5:12: .* \[loop-allocation\]$/),
      expect.stringMatching(/^test\/tools\/fixtures\/leaky\.ts:5:18: .* \[int32\]$/),
    ]);
  });
});
