/** One input of the fuzzer, and how it is written down: as text, so that it can be read, changed and kept in git. */
import { preludes, type PreludeName } from "./preludes";

export interface Input {
  /** What has happened before. */
  readonly prelude: PreludeName;
  /** How the stream is cut: 0 not at all, 1 after every byte, otherwise at random, this being the seed. */
  readonly split: number;
  readonly bytes: Uint8Array;
}

const BYTES_A_LINE = 32;

export function inputText({ prelude, split, bytes }: Input, notes: readonly string[]): string {
  const hex = Buffer.from(bytes).toString("hex");
  const lines = hex.match(new RegExp(`.{1,${2 * BYTES_A_LINE}}`, "g")) ?? [];
  return [...notes.map((note) => `# ${note}`), `prelude ${prelude}`, `split ${split}`, ...lines, ""].join("\n");
}

function isPrelude(name: string): name is PreludeName {
  return name in preludes;
}

/** Fails on anything but comments, the two settings, and bytes in hex. */
export function inputFrom(text: string): Input {
  let prelude: PreludeName = "listening";
  let split = 0;
  let hex = "";
  for (const [i, line] of text.split("\n").entries()) {
    const [word = "", value = ""] = line.trim().split(/\s+/);
    if (word === "" || word.startsWith("#")) continue;
    if (word === "prelude" && isPrelude(value)) prelude = value;
    else if (word === "split" && /^\d+$/.test(value)) split = Number(value);
    else if (/^([0-9a-f]{2}\s*)+$/.test(line.trim())) hex += line.replace(/\s/g, "");
    else throw new Error(`line ${i + 1} is no input of the fuzzer: ${line}`);
  }
  return { prelude, split, bytes: Uint8Array.from(Buffer.from(hex, "hex")) };
}
