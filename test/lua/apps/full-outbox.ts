/**
 * An application that does all that can be done with an outbox, over a link of its own whose broker acknowledges what it
 * likes: messages by every policy, messages from a source, one that fails now and then, and losses of the link. The
 * console tells what was counted.
 */
import { allocate, byteAt, mod, putU16, queueFirst, queueNumber } from "#native";
import { type Bytes, type Hal, QueueNumber } from "../../../hal/hal";
import { type Link, LinkLoss, LinkState, type LinkUser, type Span } from "../../../firmware/core/link";
import { createWriter, type Writer, writeDecimal, writeText } from "../../../firmware/core/writer";
import { clientPoll, clientStart, createClient } from "../../../firmware/mqtt/client";
import { type Client, ClientState } from "../../../firmware/mqtt/client-state";
import { outboxIdAt } from "../../../firmware/mqtt/outbox";
import { createPublication, type Publication, WhenFull } from "../../../firmware/mqtt/publication";
import { publishBytes, publishText } from "../../../firmware/mqtt/publish";
import { type PayloadSource, publishFrom, type Sources } from "../../../firmware/mqtt/publish-source";
import { createSources } from "../../../firmware/mqtt/source/create";

const ROUNDS = 6000;

interface OwnLink extends Link {
  state: LinkState;
  user: LinkUser | undefined;
  readonly span: Span;
  /** What is left of the run. */
  left: number;
}

interface Rig {
  readonly client: Client;
  readonly link: OwnLink;
  readonly sources: Sources;
  readonly publications: readonly Publication[];
  readonly large: readonly Publication[];
  readonly source: PayloadSource;
  readonly payload: Bytes;
  readonly answer: Bytes;
  readonly line: Writer;
  round: number;
}

/** @boot */
function createLink(): OwnLink {
  const link: OwnLink = {
    state: LinkState.Down,
    user: undefined,
    span: { bytes: allocate(1), at: 0, count: 0 },
    left: 0,
    attach(user) {
      link.user = user;
    },
    open() {
      link.state = LinkState.Opening;
    },
    close() {
      if (link.state !== LinkState.Down) link.state = LinkState.Closing;
    },
  };
  return link;
}

/** @boot */
function createRig(hal: Hal): Rig {
  const link = createLink();
  const sources = createSources(128);
  const client = createClient(
    {
      host: "broker", port: 1883, clientId: "t1", cleanSession: false, keepAlive: 0, outboxSize: 400, outboxSlots: 8,
      receiveSize: 64, subscribeRoom: 64, coalesce: 8, sources,
    },
    link,
    hal.entropy,
    { online() {}, offline() {}, dropped() {} },
  );
  const rig: Rig = {
    client,
    link,
    sources,
    publications: [
      createPublication("a/live", 0, false, 60, WhenFull.DropOldest),
      createPublication("a/log", 1, false, 60, WhenFull.DropOldest),
      createPublication("a/state", 1, true, 60, WhenFull.KeepNewest),
      createPublication("a/alarm", 1, false, 60),
      createPublication("a/state", 0, false, 60, WhenFull.KeepNewest),
    ],
    large: [createPublication("a/large", 0, false, 0), createPublication("a/large", 1, false, 0)],
    source: {
      read(offset, into, at, room) {
        into[at] = offset & 255;
        return mod(rig.round, 23) === 0 ? 0 : room;
      },
      ended() {},
    },
    payload: allocate(60),
    answer: allocate(4),
    line: createWriter(allocate(320)),
    round: 0,
  };
  return rig;
}

/** Takes at most `most` bytes of what the client has to send, in runs of at most `limit`. */
function send(rig: Rig, user: LinkUser, limit: number, most: number): void {
  const { link } = rig;
  let sent = 0;
  while (sent < most) {
    if (link.left === 0) {
      if (!user.waiting()) return;
      link.left = user.offer(limit);
      if (link.left === 0) return;
    }
    user.piece(link.span);
    const count = link.span.count < most - sent ? link.span.count : most - sent;
    user.taken(0, count);
    link.left -= count;
    sent += count;
  }
}

/** The broker acknowledges the oldest message that was sent. */
function acknowledge(rig: Rig, user: LinkUser): void {
  const { client, answer } = rig;
  const queue = client.outboxQueue;
  const gone = queueNumber(queue, QueueNumber.Count) - queueNumber(queue, QueueNumber.Due);
  if (gone === 0 || byteAt(queue, queueFirst(queue)) === 0) return;
  answer[0] = 0x40;
  answer[1] = 2;
  putU16(answer, 2, outboxIdAt(client.outbox, queueFirst(queue)));
  user.received(0, answer, 0, 4);
}

/** The link is lost, or comes up, and the broker knows the session, or does not. */
function changeLink(rig: Rig, user: LinkUser): void {
  const { client, link, answer } = rig;
  if (link.state === LinkState.Up || link.state === LinkState.Closing) {
    link.state = LinkState.Down;
    link.left = 0;
    user.linkDown(0, LinkLoss.Peer);
  } else if (link.state === LinkState.Opening) {
    link.state = LinkState.Up;
    user.linkUp(0);
    send(rig, user, 2048, 2048);
    answer[0] = 0x20;
    answer[1] = 2;
    answer[2] = mod(rig.round, 3) === 0 ? 0 : 1;
    answer[3] = 0;
    user.received(0, answer, 0, 4);
  } else {
    client.timer.armed = true;
    clientPoll(client, client.timer.at);
  }
}

function publish(rig: Rig): void {
  const { client, round } = rig;
  const publication = rig.publications[mod(round * 7 + (round & 3), 5)];
  if (publication === undefined) return;
  if (mod(round, 2) === 0) publishText(client, publication, "21.5");
  else publishBytes(client, publication, rig.payload, 0, mod(round, 60));
  // Before the link is lost, at QoS 0.
  const last = mod(round, 61) > 50;
  const large = rig.large[last ? 0 : mod(round, 2)];
  if (large !== undefined && (last || mod(round, 11) === 0)) publishFrom(client, large, rig.source, mod(round * 13, 900));
}

function turn(rig: Rig, user: LinkUser): void {
  const { client, link, round } = rig;
  publish(rig);
  const isUp = link.state === LinkState.Up;
  if (!isUp || mod(round, 61) === 0) changeLink(rig, user);
  else if (mod(round, 3) === 0) send(rig, user, 20 + mod(round, 300), 1 + mod(round, 250));
  else if (client.state === ClientState.Online && mod(round, 5) === 0) acknowledge(rig, user);
  if (client.state === ClientState.Online) clientPoll(client, 0);
}

function count(line: Writer, name: string, value: number): void {
  writeText(line, name);
  writeDecimal(line, value);
}

function tell(hal: Hal, rig: Rig): void {
  const { line, client } = rig;
  const stats = client.stats;
  count(line, "published=", stats.published);
  count(line, " acknowledged=", stats.acknowledged);
  count(line, " refused=", stats.refused);
  count(line, " overwritten=", stats.overwritten);
  count(line, " replaced=", stats.replaced);
  count(line, " displaced=", stats.displaced);
  count(line, " sessions=", stats.sessions);
  count(line, " done=", rig.sources.stats.done);
  count(line, " lost=", rig.sources.stats.lost);
  count(line, " failed=", rig.sources.stats.failed);
  writeText(line, "\r\n");
  hal.console.write(line.bytes, 0, line.at);
}

export default {
  name: "full outbox",
  /** @boot */
  boot(hal: Hal): { poll(): void } {
    const rig = createRig(hal);
    clientStart(rig.client, 0);
    return {
      poll() {
        const user = rig.link.user;
        for (let i = 0; i < 100 && user !== undefined && rig.round < ROUNDS; i++) {
          rig.round++;
          turn(rig, user);
          if (rig.round === ROUNDS) tell(hal, rig);
        }
        hal.idle(hal.clock.now());
      },
    };
  },
};
