/** Two clients with one identifier at one broker, which has to end the session of one when the other comes. */
import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../firmware/core/link";
import { clientPoll, clientStart, clientWait } from "../../../firmware/mqtt/client";
import { createSession, fromBroker, type Session } from "./session";

const HOUR = 3600000;

/** What is drawn: the same in every run, as even as a chip's. */
function draws(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647);
}

interface Twin {
  readonly session: Session;
  readonly draw: () => number;
  connects: number;
}

function createTwin(seed: number): Twin {
  const twin = { session: createSession(), draw: draws(seed), connects: 0 };
  clientStart(twin.session.client, 0);
  return twin;
}

/** What the one has to do at this moment. The broker gives it a session, and ends that of the other. */
function turn(twin: Twin, other: Twin): void {
  const { link, client } = twin.session;
  // The entropy of a session is a number that the test sets before it is drawn.
  twin.session.entropy = twin.draw();
  clientPoll(client, link.now);
  if (link.state === LinkState.Opening) link.up();
  link.flush();
  for (const { cmd } of link.takePackets()) {
    if (cmd === "pingreq") fromBroker(twin.session, { cmd: "pingresp" });
    if (cmd !== "connect") continue;
    twin.connects++;
    if (other.session.link.state === LinkState.Up) other.session.link.down(LinkLoss.Peer);
    fromBroker(twin.session, { cmd: "connack", returnCode: 0, sessionPresent: twin.connects + other.connects > 1 });
  }
}

function connectsInAnHour(seed: number): number[] {
  const twins = [createTwin(seed), createTwin(seed + 1)] as const;
  const [one, two] = twins;
  const counts: number[] = [];
  let now = 0;
  for (let hour = 1; hour <= 2; hour++) {
    while (now < hour * HOUR) {
      turn(one, two);
      turn(two, one);
      const waits = twins.map(({ session }) => clientWait(session.client, session.link.now));
      now += Math.max(1, Math.min(...waits, hour * HOUR - now));
      for (const { session } of twins) session.link.now = now;
    }
    counts.push(one.connects + two.connects);
  }
  return counts;
}

describe("two clients with one identifier", () => {
  it("[MQTT-3.1.4-2] do not end each other's sessions at once: some 120 connects an hour of both together, at most 170", () => {
    for (const seed of [1, 77, 4711]) {
      const [first = 0, both = 0] = connectsInAnHour(seed);
      // Pauses of 30 s on average, one after the other; some more in the first minutes.
      expect(first).toBeLessThan(170);
      expect(both - first).toBeLessThan(170);
      expect(both - first).toBeGreaterThan(80);
    }
  });
});
