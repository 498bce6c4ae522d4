/** A soak that nobody has seen before, and that a soak would notice what it is for. The long ones are beside this file. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { generationOf, neverStuckIn } from "./seeds";
import { type Meddled, soak } from "./soak";
import { ONCE_PIN } from "./specification";

const HOUR = 3_600_000;
/** A new one each run, shown in the test's name: run the one that failed again with MOTH_SEED. */
const FRESH = Number(process.env["MOTH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

function command(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync("node", ["--import", "tsx", "test/soak/run.ts", ...args], {
    cwd: resolve(import.meta.dirname, "../.."),
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
}

neverStuckIn(1, FRESH, generationOf(FRESH));
// It asks for what has come, all the time: a day of it takes ten times as long.
neverStuckIn(1, FRESH, "ism43362");

test("the same seed gives the same days", () => {
  const options = { days: 1 / 12, seed: 5, personality: "esp-at-2.2" } as const;
  expect(soak(options)).toEqual(soak(options));
}, 60_000);

/** Does something an hour after power-on. */
function anHourOn(happen: (soaked: Meddled) => void): (soaked: Meddled) => void {
  return (soaked) => {
    soaked.bench.clock.at(HOUR, () => happen(soaked));
  };
}

describe("a soak notices", () => {
  test.each<readonly [string, RegExp, (soaked: Meddled) => void]>([
    ["a board that does not come back", /is not back 300 s after the last fault: the client is in state/, ({ broker }) => broker.stop()],
    ["a reading that is lost", /1 telemetry messages are missing/, ({ bench: { machine } }) => {
      if (machine.board !== undefined) machine.board.telemetry.count += 1;
    }],
    ["an order at QoS 2 that is obeyed twice", /was obeyed out of turn/, ({ bench: { world } }) => {
      world.drivePin(ONCE_PIN, world.pinLevel(ONCE_PIN));
    }],
    ["one that is lost", /orders at QoS 2 were obeyed|out of turn/, ({ bench: { world } }) => {
      const drive = world.drivePin.bind(world);
      let lost = false;
      world.drivePin = (pin, high) => {
        if (pin !== ONCE_PIN || lost) drive(pin, high);
        else lost = true;
      };
    }],
    ["a board that hangs", /was reset by its watchdog/, ({ bench: { machine } }) => {
      machine.board = undefined;
    }],
    ["a program that throws", /threw Error: planted/, () => {
      throw new Error("planted");
    }],
  ])("%s", (_, complaint, happen) => {
    const { failure } = soak({ days: 1 / 12, seed: 7, personality: "esp-at-5", meddle: anHourOn(happen) });
    expect(failure?.problem).toMatch(complaint);
    expect(failure?.trace.join("\n")).toMatch(/FAULT /);
  }, 60_000);
});

describe("npm run soak", () => {
  test("says what it can be asked for", () => {
    const { status, said } = command("--help");
    expect(status).toBe(0);
    for (const option of ["--days", "--seed", "--personality", "--json"]) expect(said).toContain(`  ${option} `);
  });

  test("prints what the days came to", () => {
    const { status, said } = command("--days", "0.1", "--seed", "2", "--personality", "esp-at-2.2");
    expect(said).toMatch(/1 times without faults; back after \d+ s at most/);
    expect(said).toMatch(/seed 2, esp-at-2\.2: all well, in [\d.]+ s/);
    expect(status).toBe(0);
  });

  test("says with --json the same for machines", () => {
    const { status, said } = command("--days", "0.1", "--seed", "2", "--json");
    expect(JSON.parse(said)).toMatchObject({ seed: 2, personality: "esp-at-5", calms: 1 });
    expect(status).toBe(0);
  });

  test.each([
    ["--days", "many", "--days takes how many days"],
    ["--seed", "-1.5", "--seed"],
    ["--personality", "esp-at-9", "--personality takes one of nonos-1.7, esp-at-2.2, esp-at-5, ism43362"],
  ])("ends with a complaint about %s %s", (option, value, complaint) => {
    const { status, said } = command(`${option}=${value}`);
    expect(said).toContain(complaint);
    expect(status).toBe(1);
  });
});
