import { spawnSync } from "node:child_process";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { faultNames } from "../../sim/faults";
import { Failure } from "../../tools/failure";
import { faultRequest, milliseconds, strikeText } from "../../tools/faults";
import { nearest } from "../../tools/nearest";
import { FaultPrompt } from "../../tools/sim/fault-prompt";

function complaint(text: string, personality = "esp-at-5"): string {
  try {
    faultRequest(text, personality);
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
  return "";
}

describe("--fault", () => {
  it.each([
    ["prompt.lost", { name: "prompt.lost", argument: undefined, when: "soon" }],
    ["prompt.lost@90", { name: "prompt.lost", argument: undefined, when: { at: 90_000 } }],
    ["wifi.drop@5m:20s", { name: "wifi.drop", argument: 20_000, when: { at: 300_000 } }],
    ["prompt.late:2.5", { name: "prompt.late", argument: 2500, when: "soon" }],
    ["prompt.late@0:500ms", { name: "prompt.late", argument: 500, when: { at: 0 } }],
    ["rx.drop@0.5%:3", { name: "rx.drop", argument: 3, when: { chance: 0.005 } }],
    ["module.reset_at_other_baud@1h:74880", { name: "module.reset_at_other_baud", argument: 74_880, when: { at: 3_600_000 } }],
  ])("takes %s", (text, request) => {
    expect(faultRequest(text, "esp-at-5")).toEqual(request);
  });

  it.each([
    ["promt.lost", /no fault promt\.lost: did you mean prompt\.lost\? \("moth faults" lists them\)$/],
    ["gremlins", /^--fault gremlins: there is no fault gremlins \("moth faults" lists them\)$/],
    ["", /write NAME, NAME@TIME or NAME@TIME:ARG/],
    ["prompt.lost@", /write NAME/],
    ["prompt.lost:1:2", /write NAME/],
    ["prompt.lost@soon", /soon is no time: write 90, 90s, 5m/],
    ["prompt.lost@0%", /above 0 %/],
    ["prompt.lost@101%", /up to 100 %/],
    ["prompt.lost:1", /takes no argument/],
    ["prompt.late:61", /give its delay from 10 ms to 60 s/],
    ["wifi.join_fail:5", /give its code from 1 to 4/],
    ["rx.drop:1.5", /give its missing from 1 bytes to 1024 bytes/],
  ])("refuses %j in one line", (text, message) => {
    expect(complaint(text)).toMatch(message);
    expect(complaint(text)).not.toContain("\n");
  });

  it("refuses what a generation cannot have", () => {
    expect(complaint("send.plus3", "nonos-1.7")).toBe("--fault send.plus3: makes no sense for a module of nonos-1.7");
  });

  it("ends the command with exit code 1 and one line", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["tools/moth.mjs", "sim", "--fault", "wifi.dorp"], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe('moth: --fault wifi.dorp: there is no fault wifi.dorp: did you mean wifi.drop? ("moth faults" lists them)\n');
  });
});

describe("moth faults", () => {
  it("lists each with what is seen and what to do, for people and for machines", () => {
    const people = spawnSync(process.execPath, ["tools/moth.mjs", "faults"], { encoding: "utf8" });
    expect(people.status).toBe(0);
    for (const name of faultNames) expect(people.stdout).toContain(`${name} `);
    expect(people.stdout).not.toContain("\u001b");
    const machines: unknown = JSON.parse(spawnSync(process.execPath, ["tools/moth.mjs", "faults", "--json"], { encoding: "utf8" }).stdout);
    expect(machines).toHaveLength(faultNames.length);
    expect(machines).toContainEqual(expect.objectContaining({
      name: "prompt.late", seen: "OK, and > seconds later", argument: { name: "delay", unit: "ms", least: 10, most: 60_000, usual: 4000 },
    }));
  });
});

describe("durations and names", () => {
  it("are read as people write them", () => {
    expect(["90", "90s", "5m", "1h", "250ms", "1.5"].map(milliseconds)).toEqual([90_000, 90_000, 300_000, 3_600_000, 250, 1500]);
    expect(["", "s", "-1", "1d", "1 s"].map(milliseconds)).toEqual(Array(5).fill(undefined));
    expect(nearest("busy_p", ["cmd.busy_p", "cmd.long"])).toBe("cmd.busy_p");
    expect(nearest("zzz", ["cmd.busy_p", "cmd.long"])).toBeUndefined();
    expect(strikeText("prompt.late", 4000)).toBe("prompt.late (delay 4 s): OK, and > seconds later");
  });
});

describe("the key for a fault", () => {
  function prompt(): { keys: FaultPrompt; chosen: string[]; shown: () => string } {
    const chosen: string[] = [];
    const output = new PassThrough();
    const keys = new FaultPrompt(output, (text) => chosen.push(text));
    keys.start();
    return { keys, chosen, shown: () => String(output.read() ?? "") };
  }

  function type(keys: FaultPrompt, text: string): void {
    for (const letter of text) keys.take(letter, { name: letter });
  }

  it("takes a name, puts right what was mistyped, and strikes at Enter", () => {
    const { keys, chosen } = prompt();
    type(keys, "cmd.bussy");
    for (let count = 0; count < 2; count += 1) keys.take("\b", { name: "backspace" });
    type(keys, "y_p!");
    keys.take("\r", { name: "return" });
    expect(chosen).toEqual(["cmd.busy_p"]);
    expect(keys.open).toBe(false);
  });

  it("completes with Tab, and lists when there is more than one way on", () => {
    const { keys, chosen, shown } = prompt();
    type(keys, "mod");
    keys.take("\t", { name: "tab" });
    keys.take("\t", { name: "tab" });
    expect(shown()).toContain("module.reset module.reset_at_other_baud module.wdt_loop");
    type(keys, "h");
    keys.take("\t", { name: "tab" });
    keys.take("\r", { name: "return" });
    expect(chosen).toEqual(["module.hang"]);
  });

  it("forgets it at Escape, and at Enter without a name", () => {
    const { keys, chosen } = prompt();
    type(keys, "cmd.busy_p");
    keys.take(undefined, { name: "escape" });
    keys.start();
    keys.take("\r", { name: "return" });
    expect(chosen).toEqual([]);
  });
});
