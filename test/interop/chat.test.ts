/**
 * Programs that know nothing of us, at the module alone: `chat`, the dialler of pppd, types the commands and waits for
 * the answers; `socat` hands a TCP port through the transparent mode; Mosquitto's own clients talk to their broker there.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Mosquitto } from "../e2e/mosquitto";
import { freePort, Program, Sim } from "../e2e/processes";
import { requireTool } from "../system";

const SECRET = { MOTH_WIFI_PASSWORD: "12345678" };
/** More than one chunk of transparent mode, of any generation. */
const LONG = "moth".repeat(1250);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "moth-chat-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What is awaited and what is said, in turn. It gives up at an ERROR, a FAIL, or after 20 s. */
function dialogue(port: number, suffix: string, prompt: string): string {
  const turns: readonly [string, string][] = [
    ["''", "AT"],
    ["OK", "ATE0"],
    ["OK", `AT+CWMODE${suffix}=1`],
    // \042 is a quote.
    ["OK", `AT+CWJAP${suffix}=\\042moth\\042,\\04212345678\\042`],
    ["OK", `AT+CIPSTART=\\042TCP\\042,\\042127.0.0.1\\042,${port}`],
    ["CONNECT", ""],
    ["OK", "AT+CIPMODE=1"],
    ["OK", "AT+CIPSEND"],
    [prompt, ""],
  ];
  const lines = turns.map(([awaited, said]) => `${awaited} ${said === "" ? "" : `${said}\\r\\n`}\\c`);
  return ["ABORT ERROR", "ABORT FAIL", "TIMEOUT 20", ...lines, ""].join("\n");
}

/** The module behind `link`, transparent, is a TCP port for one connection, and the pipe ends with it. */
async function handedThrough(link: string): Promise<{ port: number; pipe: Program }> {
  const port = await freePort();
  const address = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`;
  const program = new Program(requireTool("socat"), ["-d", "-d", address, `FILE:${link},raw,echo=0`]);
  await program.until("the port", (line) => (line.includes("listening on") ? true : undefined));
  return { port, pipe: program };
}

describe("with a dialler, a pipe and MQTT clients of other people", () => {
  test.each([
    // The prompt of NonOS has a space behind it, which is no payload.
    ["nonos-1.7", "_CUR", ">\\s"],
    ["esp-at-2.2", "", ">"],
    ["esp-at-5", "", ">"],
  ])("a module %s is brought to a real Mosquitto, and messages pass both ways", async (personality, suffix, prompt) => {
    const broker = await Mosquitto.start();
    const watch = await broker.subscribe("#");
    const link = join(folder(), "ttyModule");
    const module = new Sim(["--pty", link, "--personality", personality, "--seed", "1"], SECRET, "module");
    await module.until({ event: "ready" });

    const script = join(folder(), "chat");
    writeFileSync(script, dialogue(broker.port, suffix, prompt));
    const chat = new Program("bash", ["-c", `${requireTool("chat")} -s -v -f ${script} < ${link} > ${link}`]);
    expect(await chat.ended, chat.lines.join("\n")).toBe(0);

    const to = ["-h", "127.0.0.1", "-q", "1", "-t", "through"];
    const out = await handedThrough(link);
    const publisher = new Program(requireTool("mosquitto_pub"), [...to, "-p", String(out.port), "-m", LONG]);
    expect(await publisher.ended).toBe(0);
    await out.pipe.ended;
    await watch.until("through", LONG);

    const back = await handedThrough(link);
    const receive = [...to, "-p", String(back.port), "-C", "1", "-W", "20", "-d"];
    // Into a pipe it would write whole blocks.
    const subscriber = new Program("stdbuf", ["-oL", requireTool("mosquitto_sub"), ...receive]);
    await subscriber.until("the subscription", (line) => (line.startsWith("Subscribed") ? true : undefined));
    broker.publish("through", LONG);
    expect(await subscriber.ended).toBe(0);
    expect(subscriber.lines).toContain(LONG);
  }, 60_000);
});
