/**
 * A board that keeps its session, with QoS 2, at a real Mosquitto: its storage erases flash in the middle of traffic, and
 * its power is cut at random moments. Nothing that it accepted is lost, and each order is obeyed once.
 */
import { expect, test } from "vitest";
import { Random } from "../../../sim/random";
import { requireTool } from "../../system";
import { Mosquitto, type Subscriber } from "../mosquitto";
import { fieldsOf, Program } from "../processes";
import { BoardAtWork, type BoardName, DEVICE, type Image, Images, wordOf } from "./bench";

const APP = "test/e2e/apps/kept-board.ts";
const CUTS = Number(process.env["MOTH_CUTS"] ?? 2);
/** The longest life between two power cuts, in simulated ms: the first half of it the board takes to get online. */
const LONGEST_LIFE = 5000;
/** At QoS 2: while flash is erased, and while the board is without power. */
const ORDERS = 100;
const LATE = 10;
const A_TEST = 240_000;

const images = new Images();

/** The numbers of all telemetry that has come, life by life: each begins at 1. Repetitions are passed over. */
function lives(heard: Subscriber): Set<number>[] {
  const all: Set<number>[] = [];
  for (const payload of heard.payloads(`moth/${DEVICE}/telemetry`)) {
    const seq = Number(fieldsOf(payload)["seq"]);
    const now = all.at(-1);
    if (now === undefined || (seq === 1 && now.size > 1)) all.push(new Set([seq]));
    else now.add(seq);
  }
  return all;
}

/** While a chip erases its flash it hears nothing of what is typed: a person types it again, on an empty line. */
const ANSWER_WITHIN = 15_000;
const TRIES = 4;

/** Waits for the answer `ok` to a command at the console. */
async function ask(board: BoardAtWork, command: string): Promise<Map<string, string>> {
  let from = board.now;
  for (let tries = 1; ; tries++) {
    from = board.now;
    board.type(`\u0015${command}\r`);
    try {
      await board.until("console line", "ok", from, ANSWER_WITHIN);
      break;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
  return new Map(board.texts("console line", from).map((line): [string, string] => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

/** `count` orders at QoS 2, one after the other. */
function order(broker: Mosquitto, count: number): Program {
  const publish = `${requireTool("mosquitto_pub")} -h 127.0.0.1 -p ${broker.port} -q 2 -t moth/${DEVICE}/relay/set -l`;
  const lines = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? "ON" : "OFF")).join("\\n");
  return new Program("sh", ["-c", `printf '${lines}\\n' | ${publish}`]);
}

async function untilStatus(board: BoardAtWork, holds: (status: Map<string, string>) => boolean): Promise<Map<string, string>> {
  const end = Date.now() + 60_000;
  for (;;) {
    const status = await ask(board, "status");
    if (holds(status)) return status;
    if (Date.now() > end) {
      const log = [...(await ask(board, "log"))].map(([line]) => line).join("\n");
      throw new Error(`the board did not get there: ${JSON.stringify([...status])}\n${log}`);
    }
    await board.elapse(200);
  }
}

function isOnline(status: Map<string, string>): boolean {
  return status.get("mqtt")?.startsWith("online") === true;
}

/** Fills the log of the storage until it has erased an area, with settings that do not matter before the next start. */
async function wearOn(board: BoardAtWork, image: Image): Promise<number> {
  const before = await wordOf(image, board, "generation");
  for (let written = 1; ; written++) {
    await ask(board, `set wifi3.password=${String(written).padStart(63, "x")}`);
    if (await wordOf(image, board, "generation") !== before) return written;
  }
}

export function keepsItsSession(name: BoardName): void {
  test("a session that is kept loses nothing to erased flash and power cuts, and every order is obeyed once", async () => {
    const seed = Number(process.env["MOTH_SEED"] ?? Date.now() % 1_000_000);
    const random = new Random(seed);
    const broker = await Mosquitto.start({ persistent: true });
    const heard = await broker.subscribe(`moth/${DEVICE}/telemetry`, "watcher");
    const image = images.of(APP, name);
    const board = await BoardAtWork.start(image, broker);
    await board.until("mqtt subscribed");
    // A long record soon fills the log.
    await ask(board, `set mqtt.password=${"y".repeat(128)}`);

    const orders = order(broker, ORDERS);
    const written = await wearOn(board, image);
    expect(await orders.ended).toBe(0);
    const worn = await untilStatus(board, (status) => Number(status.get("commands")) >= ORDERS);
    expect(worn.get("commands")).toBe(String(ORDERS));

    let told = board.now;
    for (let cut = 0; cut < CUTS; cut++) {
      await board.elapse(random.int(LONGEST_LIFE));
      board.cutPower();
      told = board.now;
      board.powerOn();
    }

    // Readings wait in flash while the broker is away, orders at the broker while the board is.
    await board.until("mqtt online", "", told);
    await heard.until(`moth/${DEVICE}/telemetry`, /^\{"seq":2,/, 60_000, heard.now);
    await broker.stop();
    // From here on nothing can be acknowledged.
    const before = await untilStatus(board, (status) => !isOnline(status) && Number(status.get("kept")) >= 6);
    // The states of relay and interval may be among what is kept.
    const reached = Math.max(...(lives(heard).at(-1) ?? [])) + Number(before.get("kept")) - 2;
    const lived = lives(heard).length - 1;
    board.cutPower();
    await broker.start();
    expect(await order(broker, LATE).ended).toBe(0);
    told = board.now;
    board.powerOn();
    await board.until("mqtt online", "", told);
    // What was kept comes first, and may hold a third reading of its own.
    await heard.program.until("a third reading of the new life", () => {
      const all = lives(heard);
      return all.length > lived + 1 && all.at(-1)?.has(3) === true ? true : undefined;
    }, 60_000);
    const after = await untilStatus(board, (status) => Number(status.get("commands")) >= LATE);
    await board.stop();

    const known = { seed, written, kept: before.get("kept") };
    const gaps = lives(heard).map((life) => Math.max(...life) - life.size).filter((gap) => gap !== 0);
    // A repeated first reading looks like one life more.
    const last = Math.max(...lives(heard).slice(lived, -1).flatMap((life) => [...life]));
    const [restored, late] = [after.get("kept.restored"), after.get("commands")];
    expect({ ...known, gaps, restored, last: last >= reached ? "all" : last, late })
      .toEqual({ ...known, gaps: [], restored: known.kept, last: "all", late: String(LATE) });
  }, A_TEST);
}
