/** The whole exchange in both directions, on streams that are cut at any byte and resumed: exactly once, in order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkLoss, LinkState } from "../../../../firmware/core/link";
import { clientPoll, clientStart, clientWait } from "../../../../firmware/mqtt/client";
import { outboxCount, outboxUsed } from "../../../../firmware/mqtt/outbox";
import type { Publication } from "../../../../firmware/mqtt/publication";
import { publishText } from "../../../../firmware/mqtt/publish";
import { createModelBroker, type ModelBroker } from "./model-broker";
import { createRig, idsOf, reading, type Rig, type RigOptions, valve } from "./rig";

interface World {
  readonly rig: Rig;
  readonly broker: ModelBroker;
  /** How many bytes have got through on this link, each way. */
  out: number;
  in: number;
  /** Payloads at QoS 2 and at QoS 1 that the outbox took. */
  readonly twice: string[];
  readonly once: string[];
}

interface Cut {
  /** The link is lost after this many bytes of one direction. */
  readonly direction: "out" | "in";
  readonly bytes: number;
  readonly forget?: boolean;
}

/** How much goes at a time, each way. */
interface Pace {
  readonly take: number;
  readonly chunk: number;
}

const WHOLE: Pace = { take: 2048, chunk: 2048 };

function createWorld(options: RigOptions = {}): World {
  const rig = createRig({ keepAlive: 0, ...options });
  clientStart(rig.client, 0);
  return { rig, broker: createModelBroker(), out: 0, in: 0, twice: [], once: [] };
}

function publish(world: World, publication: Publication, payload: string): void {
  if (!publishText(world.rig.client, publication, payload)) return;
  if (publication.qos === 2) world.twice.push(payload);
  else world.once.push(payload);
}

function lose({ rig, broker }: World, forget: boolean): void {
  rig.link.down(rig.link.state === LinkState.Closing ? LinkLoss.Closed : LinkLoss.Network);
  broker.linkLost();
  if (forget) broker.forget();
}

/** Both ways as far as it goes, or until the cut. Gives whether the link was cut. */
function run(world: World, pace: Pace, cut?: Cut): boolean {
  const { rig, broker } = world;
  world.out = 0;
  world.in = 0;
  for (let quiet = 0; quiet < 4; quiet++) {
    clientPoll(rig.client, rig.link.now);
    if (rig.link.state === LinkState.Opening) rig.link.up();
    if (rig.link.state === LinkState.Closing) return true;
    if (rig.link.state === LinkState.Down) {
      rig.link.now += clientWait(rig.client, rig.link.now);
      continue;
    }
    const left = cut?.direction === "out" ? cut.bytes - world.out : Number.MAX_SAFE_INTEGER;
    const sent = rig.link.flush({ take: pace.take, stopAfter: left }).length;
    world.out += sent;
    for (const packet of rig.link.takePackets()) broker.take(packet);
    if (sent === left) return true;
    const room = cut?.direction === "in" ? cut.bytes - world.in : broker.said.length;
    const heard = broker.said.splice(0, Math.min(room, broker.said.length));
    const rest = rig.link.receive(Uint8Array.from(heard), pace.chunk);
    broker.said.unshift(...rest);
    world.in += heard.length - rest.length;
    if (cut?.direction === "in" && world.in === cut.bytes) return true;
    if (sent > 0 || heard.length > rest.length) quiet = -1;
  }
  return false;
}

function timesOf(list: readonly string[], payload: string): number {
  return list.filter((each) => each === payload).length;
}

function withoutRepeats(list: readonly string[]): string[] {
  return [...new Set(list)];
}

/** The client's own say and the broker's, mixed, as one scenario that takes some hundred bytes each way. */
function begin(world: World): void {
  publish(world, valve, "a");
  publish(world, reading, "b");
  publish(world, valve, "c");
  for (const payload of ["d", "e"]) world.broker.publish(payload, 2);
  world.broker.publish("f", 1);
}

function expectExactlyOnce(world: World): void {
  const { rig, broker, twice, once } = world;
  expect(broker.faults).toEqual([]);
  for (const payload of twice) expect([payload, timesOf(broker.arrived, payload)]).toEqual([payload, 1]);
  for (const payload of once) expect(timesOf(broker.arrived, payload)).toBeGreaterThanOrEqual(1);
  expect(rig.client.stats.violations).toBe(0);
  expectNothingLeft(world);
}

function expectNothingLeft({ rig, broker }: World): void {
  const { client, exactlyOnce } = rig;
  expect(outboxCount(client.outbox)).toBe(0);
  expect(outboxUsed(client.outbox)).toBe(0);
  expect(idsOf(exactlyOnce.releases)).toEqual([]);
  // A broker that has forgotten a session, untold, never releases what came in it: that goes when the list is full.
  if (!broker.doubted) expect(idsOf(exactlyOnce.received)).toEqual([]);
  expect(client.quota).toBe(client.maxInFlight);
  expect(client.window).toBe(client.maxInFlight);
  expect(exactlyOnce.patience.armed).toBe(false);
  expect(client.ack.armed).toBe(false);
  expect(broker.pending()).toBe(0);
}

function heardOnce({ rig }: World): string[] {
  return rig.heard.map((line) => line.split(" ")[1] ?? "");
}

const paces: readonly Pace[] = [WHOLE, { take: 1, chunk: 1 }, { take: 3, chunk: 5 }];

describe.each(paces)("[MQTT-4.3.3-1] [MQTT-4.3.3-2] everything at QoS 2, $take bytes out and $chunk in at a time,", (pace) => {
  it("arrives exactly once and in order, both ways, and leaves nothing behind", () => {
    const world = createWorld();
    begin(world);
    run(world, pace);
    expect(world.broker.arrived).toEqual(["a", "b", "c"]);
    expect(heardOnce(world)).toEqual(["d", "e", "f"]);
    expectExactlyOnce(world);
  });

  it.each(["out", "in"] as const)("[MQTT-4.4.0-1] also when the stream is cut after any byte that goes %s, and resumed", (direction) => {
    const uncut = createWorld();
    begin(uncut);
    run(uncut, pace);
    const length = uncut[direction];
    expect(length).toBeGreaterThan(60);
    for (let bytes = 0; bytes <= length; bytes++) {
      const world = createWorld();
      begin(world);
      run(world, pace, { direction, bytes });
      lose(world, false);
      run(world, pace);
      expect(withoutRepeats(world.broker.arrived)).toEqual(["a", "b", "c"]);
      expect(withoutRepeats(heardOnce(world))).toEqual(["d", "e", "f"]);
      for (const payload of ["d", "e"]) expect(timesOf(heardOnce(world), payload)).toBe(1);
      expectExactlyOnce(world);
    }
  });
});

const cuts = fc.array(
  fc.record({ direction: fc.constantFrom<"out" | "in">("out", "in"), bytes: fc.nat(160), forget: fc.boolean() }),
  { maxLength: 6 },
);
const letters = "klmnopqrstuvwxyz";

describe("[MQTT-4.3.3-1] everything at QoS 2", () => {
  it("arrives exactly once and in order through any number of cuts, in a window of any size", () => {
    fc.assert(
      fc.property(cuts, fc.integer({ min: 1, max: 4 }), fc.constantFrom(...paces), (losses, sending, pace) => {
        const world = createWorld({ sending, outboxSlots: 32 });
        const published: string[] = [];
        begin(world);
        published.push("a", "b", "c");
        for (const [i, { direction, bytes }] of losses.entries()) {
          run(world, pace, { direction, bytes });
          const more = letters[2 * i] ?? "";
          publish(world, valve, more);
          published.push(more);
          world.broker.publish(letters[2 * i + 1] ?? "", 2);
          if (world.rig.link.state === LinkState.Up || world.rig.link.state === LinkState.Closing) lose(world, false);
        }
        run(world, pace);
        expect(withoutRepeats(world.broker.arrived)).toEqual(published);
        expectExactlyOnce(world);
        const heard = heardOnce(world).filter((payload) => payload !== "f");
        expect(heard).toEqual(withoutRepeats(heard));
        expect(heard.length).toBe(2 + losses.length);
      }),
      { numRuns: 300 },
    );
  });

  it("[MQTT-3.1.2-6] arrives at most once when the broker forgets sessions, and what may be missing is told", () => {
    fc.assert(
      fc.property(cuts, (losses) => {
        const world = createWorld({ outboxSlots: 32 });
        const { rig, broker } = world;
        let told = 0;
        rig.onSessionLost = (discarded) => (told += discarded);
        begin(world);
        for (const [i, { direction, bytes, forget }] of losses.entries()) {
          run(world, WHOLE, { direction, bytes });
          publish(world, valve, letters[2 * i] ?? "");
          broker.publish(letters[2 * i + 1] ?? "", 2);
          if (rig.link.state === LinkState.Up || rig.link.state === LinkState.Closing) lose(world, forget);
        }
        run(world, WHOLE);
        const missing = world.twice.filter((payload) => !broker.arrived.includes(payload));
        // A session that was forgotten and begun anew behind the client's back looks like the one before.
        const heard = heardOnce(world).filter((payload) => payload !== "f");
        expect(heard).toEqual(withoutRepeats(heard));
        if (!broker.doubted) {
          for (const payload of world.twice) expect(timesOf(broker.arrived, payload)).toBeLessThanOrEqual(1);
          expect(heard).toEqual(expect.arrayContaining(broker.completed.filter((payload) => payload !== "f")));
        }
        for (const payload of world.once) expect(timesOf(broker.arrived, payload)).toBeGreaterThanOrEqual(1);
        expect(missing.length).toBeLessThanOrEqual(told);
        expect(rig.exactlyOnce.stats.discarded).toBe(told);
        expect(broker.faults).toEqual([]);
        expectNothingLeft(world);
      }),
      { numRuns: 600 },
    );
  });
});
