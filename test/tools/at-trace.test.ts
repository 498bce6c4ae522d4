import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AtTrace } from "../../tools/sim/at-trace";

const PASSWORD = 'pa"ss\\word, 8';
const QUOTED = 'pa\\"ss\\\\word\\, 8';
const CONNECT = `\u0010\u0020\u0000\u0004MQTT\u0004\u00c2\u0000\u003c\u0000\u0002t1\u0000\u0004moth\u0000\u0008brokersecret`;

function traced(): { trace: AtTrace; shown: string[] } {
  const shown: string[] = [];
  return { trace: new AtTrace((direction, text) => shown.push(`${direction} ${text}`)), shown };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

describe("the trace of the serial line", () => {
  it("shows what is said either way", () => {
    const { trace, shown } = traced();
    trace.fromBoard(bytes("AT+GMR\r\n"));
    trace.toBoard(bytes("\r\nOK\r\n"));
    expect(shown).toEqual(["to module: AT+GMR\r\n", "from module: \r\nOK\r\n"]);
  });

  it.each(["AT+CWJAP", "AT+CWJAP_CUR", "AT+CWJAP_DEF"])("hides the password of %s, and of its echo, wherever it is cut", (name) => {
    const command = `${name}="barn","${QUOTED}",,,1\r\n`;
    fc.assert(fc.property(fc.array(fc.nat(command.length), { maxLength: 6 }), fc.boolean(), (cuts, echo) => {
      const { trace, shown } = traced();
      const places = [0, ...cuts.sort((a, b) => a - b), command.length];
      for (let index = 1; index < places.length; index += 1) {
        const piece = bytes(command.slice(places[index - 1], places[index]));
        if (echo) trace.toBoard(piece);
        else trace.fromBoard(piece);
      }
      const text = shown.map((line) => line.replace(/^\w+ module: /, "")).join("");
      expect(text).toBe(`${name}="barn","***",,,1\r\n`);
      for (const part of PASSWORD.split(/\W+/).filter((word) => word.length > 1)) expect(text).not.toContain(part);
    }));
  });

  it("hides the password of an ISM43362, and of a CONNECT that follows its S3 without a prompt", () => {
    const { trace, shown } = traced();
    trace.toBoard(bytes("\r\n> "));
    for (const command of [`C2=${PASSWORD}\r`, `S3=${CONNECT.length}\r`, CONNECT]) trace.fromBoard(bytes(command));
    trace.toBoard(bytes("\r\n38\r\nOK\r\n> "));
    trace.fromBoard(bytes("R0\r"));
    expect(shown.filter((line) => line.startsWith("to"))).toEqual([
      "to module: C2=***\r", `to module: S3=${CONNECT.length}\r`, `to module: (CONNECT, ${CONNECT.length} bytes)`, "to module: R0\r",
    ]);
  });

  it("shows a command that only begins like one", () => {
    const { trace, shown } = traced();
    for (const piece of ["A", "T+CW", "MODE?\r\n"]) trace.fromBoard(bytes(piece));
    expect(shown.join("")).toContain("AT+CWMODE?\r\n");
  });

  it.each(["\r\nOK\r\n\r\n>", "> ", ">"])("shows of a CONNECT after the prompt %j only its size", (prompt) => {
    const { trace, shown } = traced();
    trace.fromBoard(bytes("AT+CIPSEND=38\r\n"));
    trace.toBoard(bytes(prompt));
    trace.toBoard(bytes("WIFI CONNECTED\r\n"));
    trace.fromBoard(bytes(CONNECT.slice(0, 30)));
    // The module has been misled by noise, and has stopped to take it for payload.
    trace.toBoard(bytes("\r\nSEND Canceled\r\n"));
    trace.fromBoard(bytes(CONNECT.slice(30)));
    expect(shown.join("\n")).not.toMatch(/broker|secret/);
    trace.fromBoard(bytes("AT\r\n"));
    expect(shown.at(-1)).toBe("to module: AT\r\n");
  });

  it("shows of a key for the module's store only its size", () => {
    const { trace, shown } = traced();
    trace.fromBoard(bytes('AT+SYSFLASH=1,"client_key",0,40\r\n'));
    trace.toBoard(bytes("\r\nOK\r\n\r\n>"));
    trace.fromBoard(bytes("-----BEGIN PRIVATE KEY-----"));
    trace.fromBoard(bytes("MIIEvQ"));
    expect(shown.join("\n")).not.toMatch(/PRIVATE|MIIE/);
  });

  it.each([
    ['AT+SYSFLASH=2,"client_key",0,40\r\n', "+SYSFLASH:40,"],
    ['AT+SYSMFG=1,"client_key","client_key.0"\r\n', '+SYSMFG:"client_key","client_key.0",8,40,'],
  ])("shows of a key that the module is asked for only its size: %s, however it is cut", (question, answer) => {
    const key = "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBg";
    const sizes = { minLength: 2, maxLength: 2 };
    fc.assert(fc.property(fc.array(fc.nat(question.length), sizes), fc.array(fc.nat(key.length), sizes), (asked, told) => {
      const { trace, shown } = traced();
      const pieces = (text: string, cuts: number[]): string[] => {
        const [a = 0, b = 0] = [...cuts].sort((x, y) => x - y);
        return [text.slice(0, a), text.slice(a, b), text.slice(b)].filter((piece) => piece !== "");
      };
      for (const piece of pieces(question, asked)) trace.fromBoard(bytes(piece));
      trace.toBoard(bytes(answer));
      for (const piece of pieces(key, told)) trace.toBoard(bytes(piece));
      trace.toBoard(bytes("\r\nOK\r\n"));
      expect(shown.join("\n")).not.toMatch(/BEGIN|PRIVATE|MIIE|vQIB|ADAN/);
      expect(shown.at(-1)).toBe("from module: \r\nOK\r\n");
      trace.fromBoard(bytes("AT\r\n"));
      trace.toBoard(bytes("WIFI DISCONNECT\r\n"));
      expect(shown.at(-1)).toBe("from module: WIFI DISCONNECT\r\n");
    }));
  });

  it("shows a publish", () => {
    const { trace, shown } = traced();
    trace.toBoard(bytes("\r\nOK\r\n\r\n>"));
    trace.fromBoard(bytes("0\u0005\u0000\u0001ahi"));
    expect(shown.at(-1)).toBe("to module: 0\u0005\u0000\u0001ahi");
  });
});
