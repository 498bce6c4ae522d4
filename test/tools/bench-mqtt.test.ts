/** That `npm run bench -- mqtt` measures what it says. How fast anything is, nobody asserts: it is another computer's business. */
import { describe, expect, it } from "vitest";
import { Program } from "../e2e/processes";

const MINUTES = 60_000;

function bench(...args: string[]): Program {
  return new Program(process.execPath, ["--import", "tsx", "tools/bench/bench.ts", "mqtt", ...args]);
}

const WORKS = ["publish", "receive"].flatMap((work) => [0, 1, 2].map((qos) => ({ work, qos })));
/** A figure above 0, and between what it lay. */
const SPREAD = String.raw`\d+\.\d+ \(\d+\.\d+ to \d+\.\d+\)`;
const COUNT = String.raw`-?[\d,]+`;

describe("npm run bench -- mqtt", () => {
  it("has a row with figures of both clients for every work at every QoS", async () => {
    const program = bench("--messages", "50");
    expect(await program.ended, program.lines.join("\n")).toBe(0);
    for (const { work, qos } of WORKS) {
      const [ours = "", theirs = ""] = program.lines.filter((line) => line.startsWith(`  ${work} ${qos} `));
      const figures = String.raw`\s+${SPREAD}\s+[1-9][\d,]*\s+${COUNT}\s+${COUNT}`;
      expect(ours).toMatch(new RegExp(String.raw`^  ${work} ${qos}    moth  ${figures}   \d+\.\d times \(\d+\.\d to \d+\.\d\)`));
      expect(theirs).toMatch(new RegExp(String.raw`^  ${work} ${qos}    mqtt\.js${figures}$`));
    }
    expect(program.lines.at(-1)).toBe("  so few messages show whether it works, not how fast");
  }, 5 * MINUTES);

  it.each(["1", "few"])("does not measure %s messages", async (count) => {
    const program = bench("--messages", count);
    expect(await program.ended).toBe(1);
    expect(program.lines.join("\n")).toContain("Give a whole number from 2 to 9999999.");
  });
});
