import { existsSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { listenAddress } from "../../tools/module/tcp-outlet";
import { requireTool } from "../system";
import { Mosquitto } from "./mosquitto";
import { freePort, Program, Sim } from "./processes";

const OK = "\r\nOK\r\n";
const SECRET = { MOTH_WIFI_PASSWORD: "12345678" };

/** A program at the module's TCP port. */
class Host {
  private heard = "";
  private closed = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.on("data", (bytes) => {
      this.heard += bytes.toString("latin1");
      this.wake();
    });
    socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
  }

  static async at(address: unknown): Promise<Host> {
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(String(address)) ?? [];
    const socket = connect(Number(port), host);
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Host(socket);
  }

  /** Writes, and gives what is said up to `end`. */
  async ask(text: string, end = OK, ms?: number): Promise<string> {
    this.socket.write(text, "latin1");
    return this.until(end, ms);
  }

  /** What is said up to `end`, which is taken. Fails after `ms`, or when nothing more can come. */
  async until(end: string, ms = 10_000): Promise<string> {
    const deadline = Date.now() + ms;
    for (;;) {
      const at = this.heard.indexOf(end);
      if (at >= 0) {
        const said = this.heard.slice(0, at + end.length);
        this.heard = this.heard.slice(at + end.length);
        return said;
      }
      if (this.closed || Date.now() > deadline) throw new Error(`${end.trim()} did not come: ${JSON.stringify(this.heard)}`);
      await this.more();
    }
  }

  async gone(): Promise<void> {
    while (!this.closed) await this.more();
  }

  leave(): void {
    this.socket.destroy();
  }

  private more(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 200);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Starts `moth module`, which is ready when this ends. */
async function offered(...args: readonly string[]): Promise<{ module: Sim; address: unknown }> {
  const module = new Sim(["--seed", "1", ...args], SECRET, "module");
  const { address } = await module.until({ event: "offered" });
  await module.until({ event: "ready" });
  return { module, address };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-module-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("moth module --listen", () => {
  test("is a module for one program after the other, with its power on all the time", async () => {
    const { module, address } = await offered("--listen", "127.0.0.1:0");
    const first = await Host.at(address);
    // Its ready may still be on the line.
    expect(await first.ask("ATE0\r\n")).toMatch(/ATE0\r\n\r\nOK\r\n$/);
    expect(await first.ask("AT+GMR\r\n")).toContain("ESP32C3");
    const second = await Host.at(address);
    await second.gone();
    await module.until({ event: "refused" });
    expect(await first.ask("AT+CIPMUX=1\r\n")).toBe(OK);
    first.leave();
    await module.until({ event: "gone" });
    const third = await Host.at(address);
    expect(await third.ask("AT+CIPMUX?\r\n")).toBe(`+CIPMUX:1\r\n${OK}`);
    module.program.kill("SIGINT");
    expect(await module.until({ event: "summary" })).toMatchObject({ clients: 2, lost: 0 });
    expect(await module.program.ended).toBe(0);
  });

  test("is as slow as its line, and follows a change of its rate", async () => {
    const { module, address } = await offered("--listen", "127.0.0.1:0", "--baud", "2400");
    const host = await Host.at(address);
    await host.ask("ATE0\r\n");
    const started = performance.now();
    const versions = await host.ask("AT+GMR\r\n");
    const slow = performance.now() - started;
    // Ten bits a byte, there and back.
    expect(slow).toBeGreaterThan((10_000 * (versions.length + 8)) / 2400 - 30);
    await host.ask("AT+UART_CUR=921600,8,1,0,0\r\n");
    await module.until({ event: "rate", baud: 921_600 });
    const again = performance.now();
    await host.ask("AT+GMR\r\n");
    expect(performance.now() - again).toBeLessThan(slow / 2);
    await host.ask("AT+RST\r\n");
    await module.until({ event: "rate", baud: 2400 });
    await host.until("ready\r\n");
  });

  test("is as after power-on for each program, if asked for", async () => {
    const { module, address } = await offered("--listen", "127.0.0.1:0", "--reset-on-connect", "--personality", "nonos-1.7");
    const first = await Host.at(address);
    await first.until("\r\nready\r\n");
    await first.ask("AT+CIPMUX=1\r\n");
    first.leave();
    await module.until({ event: "gone" });
    const second = await Host.at(address);
    await second.until("\r\nready\r\n");
    expect(await second.ask("AT+CIPMUX?\r\n")).toContain("+CIPMUX:0");
    expect(await second.ask("AT+GMR\r\n")).toContain("AT version:1.7");
  });

  test("has real connections behind it, and the network that it was given", async () => {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.on("data", (bytes) => {
        heard.push(bytes.toString());
        socket.write(`echo ${bytes.toString()}`);
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { address } = await offered("--listen", "127.0.0.1:0", "--ssid", "barn");
    const host = await Host.at(address);
    await host.ask("ATE0\r\n");
    await host.ask("AT+CWMODE=1\r\n");
    expect(await host.ask('AT+CWJAP="barn","wrong"\r\n', "\r\nERROR\r\n")).toContain("+CWJAP:2");
    expect(await host.ask('AT+CWJAP="barn","12345678"\r\n')).toContain("WIFI GOT IP");
    expect(await host.ask(`AT+CIPSTART="TCP","localhost",${port}\r\n`)).toContain("CONNECT");
    await host.ask("AT+CIPSEND=5\r\n", ">");
    const said = await host.ask("hello", "SEND OK\r\n");
    expect(said).toContain("Recv 5 bytes");
    // The answer may overtake it.
    if (!said.includes("+IPD,10:echo hello")) await host.until("+IPD,10:echo hello");
    expect(heard).toEqual(["hello"]);
  });

  test("fails as it was told to, and says when", async () => {
    const { module, address } = await offered("--listen", "127.0.0.1:0", "--fault", "cmd.error_spurious", "--fault", "module.hang@4");
    const host = await Host.at(address);
    await host.ask("AT\r\n", "\r\nERROR\r\n");
    expect(await module.until({ event: "fault" })).toMatchObject({ name: "cmd.error_spurious" });
    await host.ask("AT\r\n");
    const { time } = await module.until({ event: "fault", name: "module.hang" });
    expect(time).toBe(4);
    await expect(host.ask("AT\r\n", OK, 500)).rejects.toThrow("did not come");
  });
});

describe("moth module --pty", () => {
  test("brings the firmware of a board online at a real broker, through the reset of a module", async () => {
    const broker = await Mosquitto.start();
    const subscriber = await broker.subscribe("moth/t1/#");
    const link = join(folder(), "ttyModule");
    const { module, address } = await offered("--pty", link, "--ssid", "barn", "--fault", "module.reset@10");
    expect(address).toBe(link);
    const board = ["--port", link, "--broker", broker.url, "--device", "t1", "--ssid", "barn", "--state", folder()];
    const run = new Sim([...board, "--set", "temperature=31"], SECRET, "run");
    await run.online();
    await subscriber.program.until("telemetry", () => subscriber.payloads("moth/t1/telemetry")[0]);
    expect(subscriber.payloads("moth/t1/telemetry")[0]).toContain('"temperature":31.0');
    broker.publish("moth/t1/relay/set", "ON");
    await subscriber.until("moth/t1/relay", "ON");
    await module.until({ event: "fault", name: "module.reset" });
    const from = run.program.lines.length;
    await run.until({ event: "online" }, 30_000, from);
    run.program.kill("SIGINT");
    expect(await run.program.ended).toBe(0);

    // The device is still there for the next program.
    const again = new Sim([...board, "--for", "6"], SECRET, "run");
    await again.online();
    expect(await again.program.ended).toBe(0);
  }, 90_000);

  test("is a serial device to a terminal program, and its name goes with it", async () => {
    const link = join(folder(), "ttyModule");
    symlinkSync("/dev/pts/9999", link);
    const { module } = await offered("--pty", link);
    expect(readlinkSync(link)).toMatch(/^\/dev\/pts\/\d+$/);
    const typed = `(printf 'AT+GMR\\r\\n'; sleep 1) | ${requireTool("picocom")} --quiet --baud 115200 --exit-after 1500 ${link}`;
    const terminal = new Program("bash", ["-c", typed]);
    expect(await terminal.ended).toBe(0);
    expect(terminal.lines.join("\n")).toMatch(/AT\+GMR[^]*AT version:5[^]*OK/);
    module.program.kill("SIGINT");
    expect(await module.program.ended).toBe(0);
    expect(existsSync(link)).toBe(false);
  });
});

describe("moth module", () => {
  test("gives one line and exit code 1 for each thing that is wrong", async () => {
    const file = join(folder(), "file");
    writeFileSync(file, "precious");
    const taken = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void taken.close());
    const wrong: [string[], RegExp][] = [
      [[], /--listen HOST:PORT or --pty, one of them/],
      [["--listen", `127.0.0.1:${port}`], /another program listens there: give another$/],
      [["--pty", file], /a file is in the way/],
      [["--pty", "/no/such/folder/tty"], /--pty \/no\/such\/folder\/tty: /],
      [["--listen", "0", "--personality", "hayes"], /--personality hayes: choose one of nonos-1\.7, /],
      [["--listen", "0", "--fault", "promt.lost"], /did you mean prompt\.lost\?/],
    ];
    const results = await Promise.all(wrong.map(async ([args]) => {
      const program = new Program(process.execPath, ["tools/moth.mjs", "module", ...args]);
      return { code: await program.ended, lines: program.lines };
    }));
    for (const [index, { code, lines }] of results.entries()) {
      const [args, message] = wrong[index] ?? [[], /never/];
      expect({ args, code, lines }).toEqual({ args, code: 1, lines: [expect.stringMatching(message)] });
    }
  }, 60_000);

  test("takes an address as people write it", () => {
    expect(listenAddress("10.0.0.1:33")).toEqual({ host: "10.0.0.1", port: 33 });
    expect(listenAddress("[::1]:33")).toEqual({ host: "::1", port: 33 });
    expect(listenAddress("33")).toEqual({ host: "127.0.0.1", port: 33 });
    for (const wrong of ["nonsense", "127.0.0.1:70000", "host:", "::1:33", ""]) {
      expect(() => listenAddress(wrong)).toThrow(`--listen ${wrong}: write HOST:PORT`);
    }
  });

  test("explains itself and exits 0", async () => {
    const program = new Program(process.execPath, ["tools/moth.mjs", "module", "--help"]);
    expect(await program.ended).toBe(0);
    expect(program.lines.join("\n")).toContain("--reset-on-connect");
  });
});
