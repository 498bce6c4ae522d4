/** QoS 2, and MQTT 3.1, at a real Mosquitto, on links that are cut again and again. */
import { describe, expect, onTestFinished, test } from "vitest";
import { addSubscription, clientPoll, clientStart, clientWait, createClient } from "../../firmware/mqtt/client";
import { type Client, type ClientOptions, ClientState } from "../../firmware/mqtt/client-state";
import { clientDrop } from "../../firmware/mqtt/drop";
import { createExactlyOnce } from "../../firmware/mqtt/exactly-once/create";
import type { Qos } from "../../firmware/mqtt/packet";
import { createPublication, type Publication } from "../../firmware/mqtt/publication";
import { canPublish, publishText } from "../../firmware/mqtt/publish";
import { NodeClock } from "../../hal/node/clock";
import { TcpLink } from "../../hal/node/link-tcp";
import { textAt } from "../../hal/node/native";
import { Mosquitto } from "../e2e/mosquitto";

interface Talker {
  readonly client: Client;
  readonly heard: string[];
  turn: () => void;
  /** Waits until something is so; fails after 20 s. */
  until: (what: string, isSo: () => boolean) => Promise<void>;
}

/** A client that subscribes to `echo/#` at QoS 2, and turns as a board does. */
function start(broker: Mosquitto, options: Partial<ClientOptions>): Talker {
  const clock = new NodeClock();
  const heard: string[] = [];
  // A tenth of a second at most between two links.
  const entropy = { next: () => 50 };
  const link = new TcpLink({ clock, onTurn: () => turn(), patience: 5000 });
  const client = createClient(
    {
      host: "127.0.0.1",
      port: broker.port,
      clientId: "exactly-once",
      cleanSession: false,
      keepAlive: 30,
      outboxSize: 4096,
      outboxSlots: 32,
      receiveSize: 256,
      subscribeRoom: 128,
      coalesce: 8,
      exactlyOnce: createExactlyOnce({ sending: 10, receiving: 40 }),
      ...options,
    },
    link,
    entropy,
    { online() {}, offline() {} },
  );
  addSubscription(client, "echo/#", 2, {
    message(_now, { bytes, payloadAt, payloadLength }) {
      heard.push(textAt(bytes, payloadAt, payloadLength));
    },
  });
  const turn = (): void => {
    clientPoll(client, clock.now());
    link.pump();
  };
  const timer = setInterval(turn, 5);
  onTestFinished(() => {
    clearInterval(timer);
    link.close();
  });
  clientStart(client, clock.now());
  return {
    client,
    heard,
    turn,
    async until(what, isSo) {
      for (const end = performance.now() + 20_000; !isSo(); ) {
        if (performance.now() > end) throw new Error(`not within 20 s: ${what}; heard ${heard.length}`);
        await new Promise((resolve) => setTimeout(resolve, Math.min(5, clientWait(client, clock.now()))));
        turn();
      }
    },
  };
}

async function isOnline({ client, until }: Talker): Promise<void> {
  await until("a granted subscription", () => client.state === ClientState.Online && client.subscriptions[0]?.granted === 2);
}

async function publish(talker: Talker, publication: Publication, payload: string): Promise<void> {
  await talker.until(`room for ${payload}`, () => canPublish(talker.client, publication));
  publishText(talker.client, publication, payload);
  talker.turn();
}

const MESSAGES = 200;
const numbers = Array.from({ length: MESSAGES }, (_, i) => `${i}`);

describe.each([3, 4] as const)("Mosquitto, spoken to at protocol level %i,", (protocol) => {
  test("passes on every message at QoS 2 once and in order, though the link is cut in the middle of every twelfth", async () => {
    const broker = await Mosquitto.start();
    const talker = start(broker, { protocol });
    await isOnline(talker);
    const valve = createPublication("echo/valve", 2, false, 20);
    for (const number of numbers) {
      await publish(talker, valve, number);
      if (Number(number) % 12 !== 7) continue;
      await talker.until("a session to cut off", () => talker.client.state === ClientState.Online);
      clientDrop(talker.client);
    }
    await talker.until("all of them", () => talker.heard.length >= MESSAGES);
    await talker.until("their ends", () => talker.client.stats.acknowledged === MESSAGES);
    expect(talker.heard).toEqual(numbers);
    expect(talker.client.stats.violations).toBe(0);
    expect(talker.client.stats.sessions).toBeGreaterThan(10);
    expect(talker.client.exactlyOnce?.releases.count).toBe(0);
  });

  test.each([0, 1, 2] as const)("takes and gives at QoS %i", async (qos: Qos) => {
    const broker = await Mosquitto.start();
    const talker = start(broker, { protocol });
    await isOnline(talker);
    const topic = createPublication("echo/x", qos, false, 20);
    for (const number of numbers.slice(0, 50)) await publish(talker, topic, number);
    await talker.until("all of them", () => talker.heard.length >= 50);
    expect(talker.heard).toEqual(numbers.slice(0, 50));
  });
});
