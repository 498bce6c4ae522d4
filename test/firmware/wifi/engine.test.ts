import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  atBegin,
  atRead,
  atReset,
  atSend,
  atSent,
  atStalled,
  atTimedOut,
  atWait,
  atWrite,
  createAtEngine,
  type AtEngine,
} from "../../../firmware/wifi/at-engine";
import { writeText } from "../../../firmware/core/writer";
import type { Bytes } from "../../../hal/hal";
import { view } from "../../../hal/node/view";

const WINDOW = 256;

/** An engine over a port whose bytes the test gives, with a record of everything reported. */
class Rig {
  readonly heard: string[] = [];
  /** How many bytes the port takes in all. */
  takes = Infinity;
  written = "";
  readonly engine: AtEngine;
  private readonly arrived: number[] = [];
  private joined = "";

  constructor(window = WINDOW, lineEnd = "\r\n") {
    this.engine = createAtEngine(
      {
        read: (into, at, room) => {
          expect(room).toBeGreaterThan(0);
          expect(at + room).toBeLessThanOrEqual(into.length);
          const piece = this.arrived.splice(0, room);
          view(into).set(piece, at);
          return piece.length;
        },
        write: (from, at, count) => {
          const taken = Math.min(count, this.takes);
          this.takes -= taken;
          this.written += text(from, at, taken);
          return taken;
        },
        lost: () => 0,
        setBaud: () => true,
      },
      {
        lineEnd,
        line: (_now, bytes, at, count) => this.hear(`line ${text(bytes, at, count)}`),
        prompt: () => this.hear("prompt"),
        header: (bytes, at, count) => {
          // The header of the tests is `=<one digit>:`, or `=<three digits>;`.
          const head = /^=(?:(\d):|(\d{3});)/.exec(text(bytes, at, count));
          if (head === null) return 0;
          this.engine.payload = Number(head[1] ?? head[2]);
          return head[0].length;
        },
        payload: (_now, bytes, at, count) => {
          expect(count).toBeGreaterThan(0);
          this.joined += text(bytes, at, count);
          if (this.engine.payload > 0) return;
          this.hear(`payload ${this.joined}`);
          this.joined = "";
        },
        damaged: () => this.hear("damaged"),
      },
      window,
      64,
    );
  }

  private hear(what: string): void {
    this.heard.push(what);
  }

  read(...pieces: readonly (string | Uint8Array)[]): string[] {
    for (const piece of pieces) {
      this.arrived.push(...(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece));
      atRead(this.engine, 0);
    }
    return this.heard;
  }

  /** Begins a command that wants a prompt. */
  announce(): void {
    writeText(atBegin(this.engine), "SEND");
    atSend(this.engine, 0, 1000);
    this.engine.wantPrompt = true;
  }
}

function text(bytes: Bytes, at: number, count: number): string {
  return Buffer.from(view(bytes).subarray(at, at + count)).toString("latin1");
}

/** The bytes of a text one by one. */
function single(bytes: string): string[] {
  return Array.from({ length: bytes.length }, (_, i) => bytes.charAt(i));
}

const SESSION =
  "\r\nready\r\nATE0\r\r\n\r\nOK\r\nWIFI CONNECTED\r\n\r\n+IPD,0,5\r\n" +
  "=5:\r\nOK\n\r\nOK\r\n\r\nOK\r\n\r\n>\r\nRecv 3 bytes\r\n";
const SESSION_HEARD = [
  "line ready",
  "line ATE0\r",
  "line OK",
  "line WIFI CONNECTED",
  "line +IPD,0,5",
  "payload \r\nOK\n",
  "line OK",
  "line OK",
  "prompt",
  "line Recv 3 bytes",
];

describe("the AT engine", () => {
  it("hears the same session however it is cut in two", () => {
    for (let cut = 0; cut <= SESSION.length; cut++) {
      const rig = new Rig();
      rig.announce();
      expect(rig.read(SESSION.slice(0, cut), SESSION.slice(cut)), `cut at ${cut}`).toEqual(SESSION_HEARD);
    }
  });

  it("hears the same session byte by byte, and however it is cut into pieces", () => {
    const rig = new Rig();
    rig.announce();
    expect(rig.read(...single(SESSION))).toEqual(SESSION_HEARD);
    fc.assert(
      fc.property(fc.array(fc.nat(SESSION.length), { maxLength: 12 }), (cuts) => {
        const other = new Rig();
        other.announce();
        const sorted = [0, ...cuts.toSorted((a, b) => a - b), SESSION.length];
        other.read(...sorted.slice(1).map((end, i) => SESSION.slice(sorted[i], end)));
        expect(other.heard).toEqual(SESSION_HEARD);
      }),
    );
  });

  it("takes payload by count, whatever it holds", () => {
    const payload = "\r\nOK\r\n+IPD,0,9\r\n>\x00\xff\r\nready\r\n=5:";
    const count = String(payload.length).padStart(3, "0");
    for (let cut = 0; cut <= payload.length; cut++) {
      const rig = new Rig();
      const whole = `=${count};${payload}`;
      expect(rig.read(whole.slice(0, cut + 5), `${whole.slice(cut + 5)}\r\nOK\r\n`)).toEqual([
        `payload ${payload}`,
        "line OK",
      ]);
    }
  });

  it("takes a payload that is longer than its window, and the line behind it", () => {
    const payload = "x".repeat(999);
    expect(new Rig().read(`\r\nbefore\r\n=999;${payload}\r\nOK\r\n`)).toEqual([
      "line before",
      `payload ${payload}`,
      "line OK",
    ]);
  });

  it("takes an empty payload", () => {
    expect(new Rig().read("=0:\r\nOK\r\n")).toEqual(["line OK"]);
  });

  it("says that a payload is damaged when bytes were lost or added within it", () => {
    expect(new Rig().read("=5:abcd\r\nOK\r\n")).toEqual(["damaged", "line OK"]);
    expect(new Rig().read("=5:abcdef\r\nOK\r\n")).toEqual(["damaged", "line f", "line OK"]);
  });

  it("throws an overlong line away, and hears the next", () => {
    const rig = new Rig();
    expect(rig.read(`${"x".repeat(3 * WINDOW)}\r\n\r\nOK\r\n`)).toEqual(["line OK"]);
  });

  it("hears a line that fills its window to the last byte", () => {
    const line = "y".repeat(WINDOW - 2);
    expect(new Rig().read(`${line}\r\nOK\r\n`)).toEqual([`line ${line}`, "line OK"]);
  });

  const noises = ["\x00", "\xff", "\x00\xff\x00", "\x80\x01 \x7f", "\r", "\n\n"];
  it.each(noises)("ignores the noise %j before a line", (noise) => {
    expect(new Rig().read(`${noise}WIFI GOT IP\r\n`)).toEqual(["line WIFI GOT IP"]);
  });

  it("knows the prompt of newer and of older firmware, together with its OK and apart", () => {
    for (const prompt of ["\r\nOK\r\n\r\n>", "\r\nOK\r\n> ", "\r\nOK\r\n\r\n+IPD,0,4\r\n\r\n>", "\r\nOK\r\n\r\n> "]) {
      const rig = new Rig();
      rig.announce();
      rig.read(...single(prompt), "\r\nRecv 3 bytes\r\n");
      expect(rig.heard.filter((what) => what === "prompt")).toHaveLength(1);
      expect(rig.heard.at(-1)).toBe("line Recv 3 bytes");
    }
  });

  it("takes > for a prompt only when one is wanted, and only once", () => {
    expect(new Rig().read(">\r\nOK\r\n")).toEqual(["line >", "line OK"]);
    const rig = new Rig();
    rig.announce();
    expect(rig.read(">", ">\r\n")).toEqual(["prompt", "line >"]);
  });

  it("knows when a payload that has begun goes no further", () => {
    const rig = new Rig();
    rig.read("=5:ab");
    expect(atStalled(rig.engine, 99)).toBe(false);
    expect(atWait(rig.engine, 40)).toBe(60);
    expect(atStalled(rig.engine, 100)).toBe(true);
    rig.read("cde\r\n");
    expect(atStalled(rig.engine, 100000)).toBe(false);
  });

  it("forgets a half line and a half payload when it is reset", () => {
    for (const half of ["WIFI GOT", "=5:ab", "=5:abcde", "z".repeat(2 * WINDOW)]) {
      const rig = new Rig();
      rig.read(half);
      atReset(rig.engine);
      expect(rig.read("\r\nready\r\n").at(-1)).toBe("line ready");
    }
  });

  it("hands a command on as fast as the port takes it, and asks for a turn meanwhile", () => {
    const rig = new Rig();
    rig.takes = 3;
    writeText(atBegin(rig.engine), "AT+CWMODE=1");
    atSend(rig.engine, 0, 1000);
    atWrite(rig.engine);
    expect(rig.written).toBe("AT+");
    expect(atWait(rig.engine, 0)).toBe(1);
    rig.takes = 100;
    atWrite(rig.engine);
    expect(rig.written).toBe("AT+CWMODE=1\r\n");
    expect(atSent(rig.engine)).toBe(true);
    expect(atWait(rig.engine, 0)).toBe(1000);
    expect(atTimedOut(rig.engine, 999)).toBe(false);
    expect(atTimedOut(rig.engine, 1000)).toBe(true);
  });

  it("ends a command as the family does", () => {
    const rig = new Rig(WINDOW, "\r");
    writeText(atBegin(rig.engine), "C0");
    atSend(rig.engine, 0, 1000);
    atWrite(rig.engine);
    expect(rig.written).toBe("C0\r");
  });

  it("keeps its deadline when the clock wraps", () => {
    const rig = new Rig();
    writeText(atBegin(rig.engine), "AT");
    atSend(rig.engine, 2147483600, 1000);
    atWrite(rig.engine);
    expect(atTimedOut(rig.engine, -2147483640)).toBe(false);
    expect(atTimedOut(rig.engine, (2147483600 + 1000) | 0)).toBe(true);
  });

  it("survives any bytes in any pieces, and understands the clean answer that follows", () => {
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.constantFrom("=5:", "=300;", "\r\n", ">", "OK", "\r\nOK\r\n", "+CIPRECVDATA:", "\x00").map((piece) =>
        Uint8Array.from(Buffer.from(piece, "latin1")),
      ),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.boolean(), (chunks, prompt) => {
        const rig = new Rig();
        if (prompt) rig.announce();
        rig.read(...chunks);
        // Whatever counted payload is still due is filled up first; then one line end closes a half line.
        rig.read(new Uint8Array(rig.engine.payload), "\r\n", "\r\n\r\nOK\r\n");
        expect(rig.heard.at(-1)).toBe("line OK");
        expect(rig.engine.end).toBeLessThanOrEqual(rig.engine.window.length);
        expect(rig.engine.start).toBeLessThanOrEqual(rig.engine.end);
      }),
      { numRuns: 500 },
    );
  });
});
