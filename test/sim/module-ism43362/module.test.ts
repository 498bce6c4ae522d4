import { describe, expect, test } from "vitest";
import { AccessPoint } from "../../../sim/air";
import { SimClock } from "../../../sim/clock";
import { SerialLine } from "../../../sim/line";
import { LIMITS } from "../../../sim/module-ism43362/facts";
import { ISM43362_RINGS, Ism43362Module } from "../../../sim/module-ism43362/module";
import { MemoryNetwork } from "../../../sim/network/memory";
import type { Socket } from "../../../sim/network/network";
import { Random } from "../../../sim/random";

const OK = "\r\n\r\nOK\r\n> ";
const ERROR = "\r\nERROR: Unknown Error\r\n> ";

function told(data: string): string {
  return `\r\n${data}\r\nOK\r\n> `;
}

/** A module on a table, with a host that is a test, and a peer that listens on peer:7. */
class Table {
  readonly clock = new SimClock();
  readonly line = new SerialLine(this.clock, { hostReceiveRing: 65536, hostTransmitRing: 65536, ...ISM43362_RINGS });
  readonly network = new MemoryNetwork(this.clock);
  readonly air = new AccessPoint(this.clock, "moth", "12345678");
  readonly module: Ism43362Module;
  peer: { readonly socket: Socket; text: string; closed: boolean } | undefined;
  readonly events: string[] = [];

  constructor() {
    this.module = new Ism43362Module({
      clock: this.clock,
      line: this.line.module,
      network: this.network,
      air: this.air,
      random: new Random(1),
      observer: {
        reset: (cause) => this.events.push(`reset ${cause}`),
        linkOpened: (link, host, port) => this.events.push(`open ${link} ${host}:${port}`),
        linkClosed: (link) => this.events.push(`closed ${link}`),
        wifiLost: () => this.events.push("wifi lost"),
        fault: (name, argument) => this.events.push(`fault ${name} ${argument ?? ""}`),
      },
    });
    this.network.listen("peer", 7, (socket) => {
      const peer = { socket, text: "", closed: false };
      this.peer = peer;
      return {
        connected() {},
        drained() {},
        failed() {},
        data: (chunk) => {
          peer.text += Buffer.from(chunk).toString("latin1");
        },
        closed: () => {
          peer.closed = true;
        },
      };
    });
  }

  static booted(): Table {
    const table = new Table();
    table.module.powerOn();
    table.wait(1000);
    table.ask("MT=1");
    return table;
  }

  static joined(): Table {
    const table = Table.booted();
    for (const command of ["C1=moth", "C2=12345678", "C3=4", "C0"]) table.ask(command, 10_000);
    return table;
  }

  static connected(): Table {
    const table = Table.joined();
    for (const command of ["P0=0", "P1=0", "D0=peer", "P4=7", "P6=1", "R2=1"]) table.ask(command, 100);
    if (table.peer === undefined) throw new Error("nobody has connected");
    return table;
  }

  write(text: string): void {
    this.line.host.write(Buffer.from(text, "latin1"));
  }

  ask(command: string, ms = 60): string {
    return this.send(`${command}\r`, ms);
  }

  /** Writes bytes, one character a byte, and gives what is said then. */
  send(text: string, ms = 60): string {
    this.wait(0);
    this.write(text);
    return this.wait(ms);
  }

  /** Lets time pass, and gives what was said. */
  wait(ms: number): string {
    this.clock.runFor(ms);
    const bytes = new Uint8Array(65536);
    return Buffer.from(bytes.subarray(0, this.line.host.read(bytes))).toString("latin1");
  }
}

describe("the simulated ISM43362", () => {
  test("says a prompt when it has booted, and nothing else", () => {
    const table = new Table();
    table.module.powerOn();
    expect(table.module.running).toBe(false);
    expect(table.wait(1000).endsWith("\r\n> ")).toBe(true);
    expect(table.module.running).toBe(true);
    expect(table.wait(60_000)).toBe("");
  });

  test("takes commands that end in CR, and leaves LF out", () => {
    const table = Table.booted();
    expect(table.ask("P0=0")).toBe(OK);
    table.write("P0=0");
    expect(table.wait(1000)).toBe("");
    table.write("\r\nP0=1\r\n");
    expect(table.wait(100)).toBe(OK + OK);
  });

  test("tells how a command is used when it refuses it, until MT=1", () => {
    const table = new Table();
    table.module.powerOn();
    table.wait(1000);
    expect(table.ask("P0=9")).toBe("\r\nERROR: Unknown Error\r\nUsage: P0 \r\n> ");
    expect(table.ask("MT=1")).toBe(OK);
    expect(table.ask("P0=9")).toBe(ERROR);
  });

  test.each(["", "AT", "P1=3", "P3=1.2.3", "P3=1.2.3.256", "P4=0", "P4=65536", "R1=1201", "R2=-1", "S3=0", "S3=1461",
    "C1=", `C1=${"x".repeat(33)}`, `P0=${"0".repeat(300)}`, "p0=0", "P0=0 ", "toString=1", "CD", "P6=0", "P6=1", "D0=peer"])(
    "refuses %s", (command) => {
      expect(Table.booted().ask(command)).toBe(ERROR);
    });

  test.each([
    ["I?", /^ISM43362-\S+,C3\.5\.2\.5\.STM,.*,Inventek eS-WiFi$/],
    ["Z5", /^C4:7F:51(:[0-9A-F]{2}){3}$/],
    ["CS", /^0$/],
    ["CR", /^0$/],
    ["MR", /^\[SOMA\]\[EOMA\]$/],
    ["U?", /^0,115200,8,0,1,0$/],
    ["P?", /^0,0\.0\.0\.0,0,0\.0\.0\.0,0,0,0,0,0,0$/],
  ])("tells %s", (command, data) => {
    const [, inside = ""] = /^\r\n(.*)\r\nOK\r\n> $/s.exec(Table.booted().ask(command)) ?? [];
    expect(inside).toMatch(data);
  });

  test("joins, tells its address and the signal, and leaves", () => {
    const table = Table.booted();
    for (const command of ["C1=moth", "C2=12345678", "C3=4"]) expect(table.ask(command)).toBe(OK);
    expect(table.ask("C0", 10_000)).toBe(told("[JOIN   ] moth,192.168.1.100,0,0"));
    expect(table.ask("CS")).toBe(told("1"));
    expect(table.ask("CR")).toBe(told("-52"));
    expect(table.ask("CD")).toBe(OK);
    expect(table.ask("CS")).toBe(told("0"));
  });

  test.each([["a wrong password", "C2=wrong123"], ["another name", "C1=nobody"], ["the security of an open network", "C3=0"]])(
    "does not join with %s, and does not say why", (_what, command) => {
      const table = Table.booted();
      for (const set of ["C1=moth", "C2=12345678", "C3=4", command]) table.ask(set);
      const name = command.startsWith("C1") ? "nobody" : "moth";
      expect(table.ask("C0", 10_000)).toBe(`\r\n[JOIN   ] ${name}\r\n[JOIN   ] Failed${ERROR}`);
    });

  test("lists the network that is in reach", () => {
    const table = Table.booted();
    expect(table.ask("F0", 5000)).toBe(
      told('#001,"moth",A4:2B:B0:C8:11:07,-52,54.0,Infrastructure,WPA2 AES,2.4GHz,6'));
    table.air.up = false;
    expect(table.ask("F0", 5000)).toBe(OK);
  });

  test("connects, to an address or to what a name stands for, and closes", () => {
    const table = Table.joined();
    const [, address = ""] = /^\r\n([\d.]+)\r\nOK\r\n> $/.exec(table.ask("D0=peer")) ?? [];
    expect(address).not.toBe("");
    for (const command of ["P0=0", "P1=0", "P2=50000", `P3=${address}`, "P4=7", "PK=1,60000"]) {
      expect(table.ask(command)).toBe(OK);
    }
    expect(table.ask("P6=1")).toBe(told(`[TCP  RC] Connecting to ${address}`));
    expect(table.events).toContain(`open 0 ${address}:7`);
    expect(table.ask("P6=0")).toBe(OK);
    table.wait(100);
    expect(table.peer?.closed).toBe(true);
    expect(table.ask("D0=nobody")).toBe(ERROR);
    table.ask("P4=8");
    expect(table.ask("P6=1", 20_000)).toBe(ERROR);
  });

  test("sends by count, whatever is in the payload, and gives the count back", () => {
    const table = Table.connected();
    const payload = "a\rP6=0\r\n\x00> \r\nOK\r\n> ";
    expect(table.send(`S3=${payload.length}\r${payload.slice(0, -1)}`)).toBe("");
    table.write(payload.slice(-1));
    expect(table.wait(60)).toBe(told(String(payload.length)));
    expect(table.peer?.text.startsWith("a\rP6=0")).toBe(true);
    table.ask("S1=3");
    expect(table.send("S0\rxyz")).toBe(told("3"));
  });

  test("waits for a payload that is too short, for as long as it takes", () => {
    const table = Table.connected();
    table.write("S3=10\r123456789");
    expect(table.wait(60_000)).toBe("");
    expect(table.peer?.text).toBe("");
    table.write("0");
    expect(table.wait(60)).toBe(told("10"));
  });

  test("gives what has come, as much as R1 says, and nothing of its length", () => {
    const table = Table.connected();
    expect(table.ask("R0")).toBe(OK);
    table.peer?.socket.write(Buffer.from("\r\nOK\r\n> 12345"));
    table.wait(20);
    table.ask("R1=10");
    expect(table.ask("R0")).toBe(told("\r\nOK\r\n> 12"));
    expect(table.ask("R0")).toBe(told("345"));
    expect(table.ask("R0")).toBe(OK);
  });

  test("waits for as much as R1 says until R2 is over", () => {
    const table = Table.connected();
    table.ask("R1=4");
    table.ask("R2=500");
    table.write("R0\r");
    table.clock.after(200, () => table.peer?.socket.write(Buffer.from("ab")));
    expect(table.wait(480)).toBe("");
    expect(table.wait(60)).toBe(told("ab"));
    table.write("R0\r");
    table.clock.after(100, () => table.peer?.socket.write(Buffer.from("abcd")));
    expect(table.wait(150)).toBe(told("abcd"));
  });

  test("tells -1 of a stream that is over, once all that came has been read", () => {
    const table = Table.connected();
    table.peer?.socket.write(Buffer.from("last words"));
    table.peer?.socket.end();
    table.wait(50);
    expect(table.ask("R0")).toBe(told("last words"));
    expect(table.ask("R0")).toBe(told("-1"));
    expect(table.send("S3=1\rx")).toBe(told("-1"));
    expect(Table.joined().ask("R0")).toBe(told("-1"));
  });

  test("stops a peer that sends more than is read, and loses nothing", () => {
    const table = Table.connected();
    table.peer?.socket.write(Buffer.alloc(20_000, "x"));
    table.wait(1000);
    table.ask(`R1=${LIMITS.receive}`);
    let length = 0;
    for (let i = 0; i < 40 && length < 20_000; i++) length += table.ask("R0", 200).length - 10;
    expect(length).toBe(20_000);
  });

  test("keeps what comes during a command in its UART's ring, and loses what that cannot hold", () => {
    const table = Table.joined();
    table.ask("D0=peer");
    expect(table.ask("CS\rCS\rCS")).toBe(told("1").repeat(3));
    table.write("C0\r");
    table.wait(100);
    table.write("x".repeat(3000));
    table.wait(9000);
    expect(table.line.module.lost).toBe(3000 - LIMITS.receiveRing);
  });

  test("changes its rate at once, and boots at the old one", () => {
    const table = Table.booted();
    expect(table.ask("U2=921600")).toBe(OK);
    table.write("U0\r");
    table.clock.runFor(2);
    table.wait(50);
    table.line.host.setBaud(921_600);
    expect(table.ask("U?")).toBe(told("0,921600,8,0,1,0"));
    table.module.crash();
    table.line.host.setBaud(115_200);
    expect(table.wait(1000).endsWith("\r\n> ")).toBe(true);
  });

  test("forgets everything when it is reset, by its pin or by ZR, and its peers see it go", () => {
    for (const reset of [(table: Table) => table.write("ZR\r"), (table: Table) => {
      table.module.setReset(true);
      table.wait(100);
      table.module.setReset(false);
    }]) {
      const table = Table.connected();
      reset(table);
      expect(table.wait(1000).endsWith("\r\n> ")).toBe(true);
      expect(table.peer?.closed).toBe(true);
      expect(table.ask("CS")).toBe(told("0"));
      expect(table.ask("P?")).toMatch(/^\r\n0,0\.0\.0\.0,0,0\.0\.0\.0,0,/);
    }
  });

  test("says nothing of a network that is lost, and does not join it again", () => {
    const table = Table.connected();
    table.air.drop(2000);
    expect(table.send("S3=3\rabc")).toBe(told("3"));
    expect(table.wait(20_000)).toBe("");
    expect(table.events).toContain("wifi lost");
    expect(table.ask("CS")).toBe(told("0"));
    expect(table.ask("R0")).toBe(told("-1"));
    expect(table.peer?.text).toBe("");
  });

  test("knows a few faults of the catalogue", () => {
    const table = Table.joined();
    table.module.faults.strike("wifi.drop", 30_000);
    table.wait(10_000);
    expect(table.ask("CS")).toBe(told("0"));
    table.module.faults.strike("module.reset");
    expect(table.wait(1000).endsWith("\r\n> ")).toBe(true);
    table.module.faults.strike("module.hang");
    expect(table.ask("I?", 10_000)).toBe("");
    table.module.crash();
    expect(table.ask("I?", 10_000)).toBe("");
    table.module.setReset(true);
    table.module.setReset(false);
    expect(table.wait(1000).endsWith("\r\n> ")).toBe(true);
    table.module.faults.strike("prompt.lost");
    table.module.faults.chance("module.reset", 1);
    table.wait(200_000);
    table.module.faults.chance("module.reset", 0);
    expect(table.events.filter((event) => event.startsWith("fault"))).toEqual([
      "fault wifi.drop 30000", "fault module.reset 4", "fault module.hang ", ...Array<string>(3).fill("fault module.reset 4"),
    ]);
  });
});
