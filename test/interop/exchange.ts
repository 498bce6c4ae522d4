/** What any broker and our client must do with each other, whoever made the broker. */
import { expect, onTestFinished, test } from "vitest";
import { connect, Mqtt, type MqttOptions, type PublishOptions } from "../../hal/node/mqtt";
import { Inbox } from "./inbox";

/** What one broker does differently from others, within what MQTT allows or against it. */
export interface Traits {
  /** The highest QoS that it really has. What is asked for above is granted at this one. */
  readonly qos: 1 | 2;
  /** Whether CONNACK tells of a kept session: MQTT 3.1 has no place for that. */
  readonly tellsSession: boolean;
}

type Qos = NonNullable<PublishOptions["qos"]>;

/** The tests of one broker. `options`: how it is reached; asked for when a test runs. */
export function exchanges(options: () => MqttOptions, { qos: best, tellsSession }: Traits): void {
  let used = 0;

  /** A name that no other test uses: topics and sessions of one do not meet those of another. */
  function fresh(what: string): string {
    used++;
    return `${what}-${used}`;
  }

  async function client(more: Partial<MqttOptions> = {}): Promise<Mqtt> {
    const made = await connect({ ...options(), entropy: { next: () => 0 }, ...more });
    onTestFinished(() => made.leave(0));
    return made;
  }

  const asked = ([0, 1, 2] as const).filter((qos) => qos <= best);
  const pairs = asked.flatMap((published) => asked.map((subscribed) => [published, subscribed] as const));

  test.each(pairs)("a message at QoS %i to a subscriber at QoS %i comes at the lower of both, in order", async (published, subscribed) => {
    const [publisher, subscriber] = [await client(), await client()];
    const topic = fresh("pair/topic");
    const inbox = new Inbox();
    expect(await subscriber.subscribe(topic, subscribed, inbox.take)).toBe(subscribed);
    const texts = Array.from({ length: 200 }, (_, index) => `${index} grüße`);
    await Promise.all(texts.map((text) => publisher.publish(topic, text, { qos: published })));
    await inbox.until(({ messages }) => messages.length >= texts.length);
    expect(inbox.texts).toEqual(texts);
    const lower: Qos = published < subscribed ? published : subscribed;
    expect(new Set(inbox.messages.map(({ qos }) => qos))).toEqual(new Set([lower]));
    expect(inbox.messages[0]).toMatchObject({ topic, retain: false, dup: false });
  });

  test("a retained message is for those who come later, until an empty one takes it away", async () => {
    const publisher = await client();
    const topic = fresh("retained/topic");
    await publisher.publish(topic, "kept", { qos: 1, retain: true });
    const later = new Inbox();
    await (await client()).subscribe(topic, 1, later.take);
    await later.until(({ messages }) => messages.length > 0);
    expect(later.messages).toMatchObject([{ topic, text: "kept", retain: true }]);
    await publisher.publish(topic, "", { qos: 1, retain: true });
    const last = new Inbox();
    await (await client()).subscribe(topic, 1, last.take);
    await publisher.publish(topic, "new", { qos: 1 });
    await last.until(({ messages }) => messages.length > 0);
    expect(last.messages).toMatchObject([{ text: "new", retain: false }]);
  });

  test("the will is for a client that dies, not for one that leaves", async () => {
    const inbox = new Inbox();
    const topic = fresh("will/topic");
    const watcher = await client();
    await watcher.subscribe(topic, 1, inbox.take);
    await (await client({ will: { topic, payload: "left", qos: 1, retain: false } })).leave();
    await (await client({ will: { topic, payload: "dead", qos: 1, retain: false } })).die();
    await inbox.until(({ messages }) => messages.length > 0);
    expect(inbox.texts).toEqual(["dead"]);
  });

  test("a kept session is found again, with all that came meanwhile, in order", async () => {
    const publisher = await client();
    const topic = fresh("session/topic");
    const clientId = fresh("session");
    const away = await connect({ ...options(), clientId, clean: false });
    await away.subscribe(topic, 1, () => undefined);
    await away.leave();
    const texts = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => publisher.publish(topic, text, { qos: 1 })));
    const sessions: boolean[] = [];
    const inbox = new Inbox();
    const back = new Mqtt({ ...options(), clientId, clean: false, onOnline: (present) => sessions.push(present) });
    onTestFinished(() => back.leave(0));
    await back.subscribe(topic, 1, inbox.take);
    await inbox.until(({ firsts }) => firsts.length >= texts.length);
    expect(inbox.firsts).toEqual(texts);
    expect(sessions).toEqual([tellsSession]);
  });

  test("what is published at QoS 1 while the link is cut again and again arrives, first arrivals in order", async () => {
    const inbox = new Inbox();
    const topic = fresh("cut/topic");
    await (await client()).subscribe(topic, 1, inbox.take);
    const publisher = await client({ clientId: fresh("cut"), clean: false });
    const texts = Array.from({ length: 1000 }, (_, index) => String(index));
    const acknowledged: Promise<void>[] = [];
    for (const [index, text] of texts.entries()) {
      acknowledged.push(publisher.publish(topic, text, { qos: 1 }));
      if (index % 200 !== 100) continue;
      await acknowledged[index - 50];
      publisher.cut();
    }
    await Promise.all(acknowledged);
    await inbox.until(({ firsts }) => firsts.length >= texts.length);
    expect(inbox.firsts).toEqual(texts);
    expect(publisher.stats.sessions).toBeGreaterThan(3);
    expect(publisher.stats.violations).toBe(0);
  });

  test("a payload of 60,000 bytes goes and comes unchanged", async () => {
    const both = await client();
    const topic = fresh("large/topic");
    const inbox = new Inbox();
    await both.subscribe(topic, 1, inbox.take);
    const payload = Buffer.from(Uint8Array.from({ length: 60_000 }, (_, index) => (index * 7 + (index >> 8)) & 255));
    await both.publish(topic, payload, { qos: 1 });
    await inbox.until(({ messages }) => messages.length > 0);
    expect(inbox.messages[0]?.payload.equals(payload)).toBe(true);
  });

  test("a filter with wildcards takes what it matches, and an ended one takes nothing more", async () => {
    const both = await client();
    const name = fresh("wild");
    const inbox = new Inbox();
    await both.subscribe(`${name}/+/b/#`, 1, inbox.take);
    for (const topic of ["1/b", "2/b/c/d", "3/x", "4/c/b"]) await both.publish(`${name}/${topic}`, topic, { qos: 1 });
    await both.publish(`${name}/5/b`, "last", { qos: 1 });
    await inbox.until(({ texts }) => texts.includes("last"));
    expect(inbox.texts).toEqual(["1/b", "2/b/c/d", "last"]);
    await both.unsubscribe(`${name}/+/b/#`);
    const other = new Inbox();
    await both.subscribe(name, 1, other.take);
    await both.publish(`${name}/6/b`, "unheard", { qos: 1 });
    await both.publish(name, "end", { qos: 1 });
    await other.until(({ texts }) => texts.includes("end"));
    expect(inbox.texts).not.toContain("unheard");
  });
}
