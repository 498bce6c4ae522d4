import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findTool } from "../../tools/system-tools.mjs";
import { requireTool } from "../system";

function setup(args: readonly string[], path = process.env["PATH"]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/setup.mjs", ...args], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  return { status, text: stdout + stderr };
}

describe("setup", () => {
  it("says in its help which packages it installs and why, and exits 0", () => {
    const { status, text } = setup(["--help"]);
    expect(status).toBe(0);
    expect(text).toMatch(/mosquitto-clients +the stock clients/);
  });

  it("says in a dry run what it would do, and does nothing", () => {
    const { status, text } = setup(["--dry-run"]);
    expect(status).toBe(0);
    expect(text).toContain("would run: npm ci");
    expect(text).not.toContain("running:");
    expect(text).toContain("nothing was changed");
  });

  it("names the packages to install by hand where there is no apt-get, and exits 1", () => {
    const { status, text } = setup(["--dry-run"], "/nowhere");
    expect(status).toBe(1);
    expect(text).toMatch(/^setup: there is no apt-get here: install mosquitto-clients socat .*by hand/m);
  });

  it("would install only what is missing, after an update, through sudo when not root", () => {
    const folder = mkdtempSync(join(tmpdir(), "moth-setup-"));
    for (const name of ["apt-get", "sudo", "mosquitto_sub"]) symlinkSync("/bin/true", join(folder, name));
    const { status, text } = setup(["--dry-run"], folder);
    rmSync(folder, { recursive: true });
    const prefix = process.getuid?.() === 0 ? "" : "sudo ";
    expect(status).toBe(0);
    expect(text).toContain(`would run: ${prefix}apt-get update\n`);
    expect(text).toMatch(/would run: .*env DEBIAN_FRONTEND=noninteractive apt-get install .* socat .*\n/);
    expect(text).not.toContain("mosquitto-clients");
  });

  it("refuses an option that it does not know, in one line", () => {
    const { status, text } = setup(["--dryrun"]);
    expect(status).toBe(1);
    expect(text).toBe("setup: unknown option --dryrun: see npm run setup -- --help\n");
  });
});

describe("a tool that a suite needs", () => {
  it("is found by its package's name or its own", () => {
    expect(existsSync(requireTool("mosquitto-clients"))).toBe(true);
    expect(requireTool("mosquitto_sub")).toBe(requireTool("mosquitto-clients"));
  });

  it("is for a Python package the Python that has it", () => {
    expect(requireTool("python3-paho-mqtt")).toBe("/usr/bin/python3");
  });

  it("is missing when no folder has it, or Python cannot import it", () => {
    expect(findTool({ program: "moth-no-such-program" })).toBeUndefined();
    expect(findTool({ python: "moth_no_such_module" })).toBeUndefined();
  });

  it("is refused with its name when nothing is known of it", () => {
    expect(() => requireTool("moth-no-such-package")).toThrow("moth-no-such-package is not in tools/system-packages");
  });
});
