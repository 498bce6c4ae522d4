/**
 * The MQTT 3.1.1 client: one session with one broker over a {@link Link}, kept up for as long as the program runs.
 *
 * It is driven by the link, which reports bytes and asks for bytes, and by {@link clientPoll}. Nothing blocks and
 * nothing is allocated after boot. What cannot be done now is refused and counted, never waited for.
 *
 * After a protocol violation of the broker, a time-out or a refused connect, the link is closed and a new one is asked
 * for after a backoff with full jitter; the backoff is only forgotten when a session has lasted.
 *
 *     state        left by
 *     Idle         clientStart → BackingOff
 *     BackingOff   the timer → Opening
 *     Opening      linkUp → Connecting
 *     Connecting   CONNACK → Online                    refused, time-out → Closing
 *     Online       clientLeave, outbox sent → Leaving  violation, time-out → Closing
 *     Leaving      DISCONNECT is sent, then the link is closed
 *     Closing      the link is closed
 *
 * linkDown leads from all but Idle to BackingOff, or to Idle when leaving. clientLeave leads at once from BackingOff to
 * Idle, and from Opening and Connecting to Closing.
 */
import type { Entropy, Millis } from "../../hal/hal";
import { allocate, createQueue, div } from "#native";
import { backoffNext, backoffReset, createBackoff } from "../core/backoff";
import { type Link, LinkLoss } from "../core/link";
import { arm, createDeadline, disarm, elapsed, isDue, LONGEST_WAIT, sooner, waitFor } from "../core/time";
import { createWriter } from "../core/writer";
import { Breach } from "./breach";
import { brokerOf, moveOn } from "./brokers";
import {
  type Client,
  type ClientEvents,
  type ClientOptions,
  ClientState,
  type ClientStats,
  Fault,
  Mistake,
  PublishError,
} from "./client-state";
import { createConnectPacket, createNoticePacket } from "./connect";
import { announce, closeLink, createReaderEvents, fail } from "./incoming";
import { nextId } from "./identifiers";
import { createLinkUser } from "./link-user";
import { isOfOptions, isQos, mistakeIn, noteMistake } from "./options-mistake";
import { createOutbox, outboxCount, outboxLinkLost, outboxWindow } from "./outbox";
import { createPuback, PacketType } from "./packet";
import { createReader, readerAttach, readerReset, readerStop } from "./reader";
import {
  ALL,
  controlBegin,
  controlEnd,
  expectAcks,
  PINGRESP_PATIENCE,
  PUBACK_SIZE,
  sendBare,
  sendControl,
  senderReset,
  SHORTEST_PUBLISH,
} from "./sender";
import {
  anyIn,
  createSubscription,
  largestSubscribe,
  type MessageHandler,
  SUBSCRIBE,
  type Subscription,
  subscriptionsInterrupted,
  SubscriptionState,
  UNSUBSCRIBE,
  writeSubscribe,
  writeUnsubscribe,
} from "./subscriptions";
import { appendFilter, createFilterList } from "./topic";

/** From the stream being up to CONNACK, in milliseconds. */
const CONNACK_PATIENCE = 10000;
/** From a DISCONNECT of ours to the end of the link, in MQTT 5.0. */
const DISCONNECT_PATIENCE = 2000;
/** How often a message is tried again whose handler has said "not now", in milliseconds. */
const RETRY_EVERY = 50;
/** The first and the longest backoff ceiling. */
const BACKOFF_FIRST = 1000;
const BACKOFF_CAP = 60000;
/** Room in the control ring for acknowledgements, besides what must fit when a session begins. */
const ACK_ROOM = 256;

/** A client that does nothing until {@link clientStart}. @boot */
export function createClient(options: ClientOptions, link: Link, entropy: Entropy, events: ClientEvents): Client {
  const mistake = mistakeIn(options);
  // What would not be sent is not made.
  const fit = mistake === Mistake.None;
  const protocol = options.protocol ?? 4;
  const five = fit && protocol === 5 ? options.five : undefined;
  const outbox = createOutbox(options.outboxSize, options.outboxSlots);
  const encoder = createWriter(outbox.queue);
  const noId = allocate(2);
  // In MQTT 5.0 it is made anew for each link.
  const connectPacket = fit && five === undefined ? createConnectPacket(options, encoder) : noId;
  const { birth, farewell } = options;
  const birthPacket = birth === undefined || !fit ? undefined : createNoticePacket(birth, protocol, encoder);
  const farewellPacket = farewell === undefined || !fit ? undefined : createNoticePacket(farewell, protocol, encoder);
  const maxInFlight = maxInFlightOf(options);
  const controlSize =
    ACK_ROOM +
    (options.byHand === undefined ? 0 : options.byHand.slots * PUBACK_SIZE) +
    (options.exactlyOnce === undefined ? 0 : options.exactlyOnce.capacity * PUBACK_SIZE) +
    connectPacket.length +
    (five === undefined ? 0 : five.prepare(options, maxInFlight)) +
    2 * options.subscribeRoom +
    (birthPacket === undefined ? 0 : birthPacket.length) +
    (farewellPacket === undefined ? 0 : farewellPacket.length);
  const control = createQueue(controlSize, ALL);
  const reader = createReader(options.receiveSize);
  outboxWindow(outbox, maxInFlight);
  // What is looked at with every message comes first: where two names want one place in the record, the first has it.
  const client: Client = {
    state: ClientState.Idle,
    controlDue: false,
    planControl: 0,
    outboxQueue: outbox.queue,
    stats: createStats(),
    direct: options.keeper === undefined && five === undefined,
    plain: options.keeper === undefined && five === undefined,
    sentAt: 0,
    lastId: 0,
    freeTo: 0,
    quota: maxInFlight,
    window: maxInFlight,
    outbox,
    ack: createDeadline(),
    subscribeId: 0,
    unsubscribeId: 0,
    control,
    pubackPacket: createPuback(),
    options,
    controlSize,
    draft: createWriter(outbox.queue),
    link,
    entropy,
    events,
    subscriptions: [],
    filters: createFilterList(options.subscribeRoom),
    subscribeSize: 0,
    reader,
    fault: Fault.None,
    mistake,
    publishError: PublishError.None,
    refusal: 0,
    breach: Breach.None,
    lastLoss: LinkLoss.Closed,
    broker: 0,
    nextBroker: 0,
    welcome: false,
    connectPacket,
    askSize: askSizeOf(options),
    noId,
    birthPacket,
    farewellPacket,
    backoff: createBackoff(BACKOFF_FIRST, BACKOFF_CAP),
    timer: createDeadline(),
    lasting: createDeadline(),
    keepAlive: options.keepAlive,
    pingresp: createDeadline(),
    leaveBy: createDeadline(),
    leaving: false,
    announce: false,
    unanswered: 0,
    maxInFlight,
    sessionHeld: false,
    exactlyOnce: options.exactlyOnce,
    five,
    keeper: options.keeper,
    sources: options.sources,
    hold: options.hold,
    byHand: options.byHand,
    parts: options.parts,
    paused: false,
    draftOf: undefined,
    encoder,
    message: {
      bytes: noId,
      topicAt: 0,
      topicLength: 0,
      payloadAt: 0,
      payloadLength: 0,
      flags: 0,
      qos: 0,
      retain: false,
      dup: false,
      refused: false,
      token: 0,
    },
  };
  const events311 = createReaderEvents(client);
  readerAttach(reader, five === undefined ? events311 : five.listen(client, events311));
  reader.isFive = five !== undefined;
  if (options.parts !== undefined) reader.large = options.parts.taker(client);
  const user = createLinkUser(client, { up: linkUp, down: linkDown });
  link.attach(options.sources === undefined ? user : options.sources.user(client, user));
  if (options.keeper !== undefined) options.keeper.restore(client);
  return client;
}

/** In MQTT 5.0 an answer may have a reason code more, and is to count as much. */
function askSizeOf({ protocol, exactlyOnce }: ClientOptions): number {
  const size = exactlyOnce === undefined ? SHORTEST_PUBLISH : PUBACK_SIZE;
  return protocol === 5 ? div(size * PUBACK_SIZE, PUBACK_SIZE + 1) : size;
}

/** How many messages may be under way: what the application wants, and what QoS 2 can bear in mind. @boot */
function maxInFlightOf(options: ClientOptions): number {
  const wanted = options.maxInFlight ?? ALL;
  const capacity = options.exactlyOnce?.capacity ?? ALL;
  return wanted < capacity ? wanted : capacity;
}

/**
 * Adds a subscription that the client keeps up from now on, and gives it; its state can be watched there.
 * `undefined` when `filter` is not a well-formed topic filter, there is no `subscribeRoom` left for it, or `qos` is none
 * or QoS 2 of a client without the feature `exactlyOnce`; {@link Client.mistake} says which. @boot
 */
export function addSubscription(
  client: Client,
  filter: string,
  qos: number,
  handler: MessageHandler,
): Subscription | undefined {
  if (!isQos(qos)) return refuse(client, Mistake.Qos);
  if (qos === 2 && client.exactlyOnce === undefined) return refuse(client, Mistake.ExactlyOnceMissing);
  const subscription = createSubscription(filter, qos, handler);
  if (subscription === undefined) return refuse(client, Mistake.TopicFilter);
  const size = largestSubscribe(client.subscriptions, subscription.filter.length);
  if (size > client.options.subscribeRoom) return refuse(client, Mistake.SubscribeRoom);
  client.subscribeSize = client.five === undefined ? size : size + client.five.subscribeRoom;
  client.subscriptions.push(subscription);
  appendFilter(client.filters, subscription.filter);
  return subscription;
}

function refuse(client: Client, mistake: Mistake): Subscription | undefined {
  noteMistake(client, mistake);
  return undefined;
}

/** @boot */
function createStats(): ClientStats {
  return {
    published: 0,
    acknowledged: 0,
    retried: 0,
    refused: 0,
    offline: 0,
    tooLong: 0,
    displaced: 0,
    overwritten: 0,
    replaced: 0,
    received: 0,
    unmatched: 0,
    oversize: 0,
    sessions: 0,
    subscriptionsRefused: 0,
    refusals: 0,
    losses: 0,
    violations: 0,
    pings: 0,
  };
}

/** Begins to connect, and stays at it. A client whose options have a mistake in them stays `Idle`. */
export function clientStart(client: Client, now: Millis): void {
  if (client.state !== ClientState.Idle || isOfOptions(client.mistake)) return;
  client.leaving = false;
  client.state = ClientState.BackingOff;
  arm(client.timer, now, 0);
}

/**
 * Leaves the broker in good order: what is in the outbox goes out and is acknowledged, for at most `patience`
 * milliseconds, then farewell and DISCONNECT. The client ends up `Idle`. Without a session it is so at once.
 */
export function clientLeave(client: Client, now: Millis, patience: number): void {
  client.leaving = true;
  arm(client.leaveBy, now, patience);
  if (client.state === ClientState.BackingOff) {
    client.state = ClientState.Idle;
    disarm(client.timer);
  } else if (client.state === ClientState.Opening || client.state === ClientState.Connecting) {
    client.state = ClientState.Closing;
    readerStop(client.reader);
    client.link.close();
  }
}

/**
 * Sends the birth notice again at the next poll, once for however many calls. Does nothing without a session or on the
 * way out.
 */
export function clientAnnounce(client: Client): void {
  if (client.state === ClientState.Online && !client.leaving) client.announce = client.birthPacket !== undefined;
}

/** The client's turn of the main loop: acts on every deadline that has come. */
export function clientPoll(client: Client, now: Millis): void {
  if (client.keeper !== undefined) client.keeper.poll(client, now);
  if (client.sources !== undefined) client.sources.poll(client, now);
  if (client.five !== undefined) client.five.poll(client, now);
  switch (client.state) {
    case ClientState.BackingOff:
      if (isDue(client.timer, now)) openLink(client);
      return;
    case ClientState.Connecting:
      if (isDue(client.timer, now)) fail(client, Fault.ConnackMissing);
      return;
    case ClientState.Online:
      keepSession(client, now);
      return;
    case ClientState.Leaving:
      if (client.five !== undefined) hurry(client, now);
      return;
    case ClientState.Idle:
    case ClientState.Opening:
    case ClientState.Closing:
      return;
  }
}

/** A DISCONNECT that says what is wrong gets some time to go out, even if the link takes nothing more. */
function hurry(client: Client, now: Millis): void {
  if (!client.timer.armed) arm(client.timer, now, DISCONNECT_PATIENCE);
  else if (isDue(client.timer, now)) closeLink(client, client.fault);
}

/** How long the client can be left alone unless the link reports something, in milliseconds. */
export function clientWait(client: Client, now: Millis): number {
  if (client.state === ClientState.BackingOff || client.state === ClientState.Connecting) {
    return waitFor(client.timer, now);
  }
  if (client.state === ClientState.Leaving && client.five !== undefined) {
    return client.timer.armed ? waitFor(client.timer, now) : 0;
  }
  if (client.state !== ClientState.Online) return LONGEST_WAIT;
  // With control packets on their way, the link will report something.
  const quiet = !client.controlDue;
  if (quiet && hasToSay(client)) return 0;
  let wait = sooner(pingWait(client, now), waitFor(client.lasting, now));
  if (!client.paused) {
    wait = sooner(wait, waitFor(client.pingresp, now));
    wait = sooner(wait, waitFor(client.ack, now));
    if (client.exactlyOnce !== undefined) wait = sooner(wait, waitFor(client.exactlyOnce.patience, now));
  } else if (client.hold !== undefined && client.hold.holding) {
    wait = sooner(wait, RETRY_EVERY);
  }
  if (client.five !== undefined) wait = sooner(wait, client.five.wait(now));
  return client.leaving && quiet ? sooner(wait, waitFor(client.leaveBy, now)) : wait;
}

/** Whether the next poll has something to say that is not a matter of time. */
function hasToSay(client: Client): boolean {
  return client.announce || hasOverrun(client) || wantsSubscribe(client) || wantsUnsubscribe(client) || isDone(client);
}

function hasOverrun({ exactlyOnce }: Client): boolean {
  return exactlyOnce !== undefined && exactlyOnce.overrun;
}

function wantsSubscribe(client: Client): boolean {
  return client.subscribeId === 0 && anyIn(client.subscriptions, SubscriptionState.Wanted);
}

function wantsUnsubscribe(client: Client): boolean {
  return client.unsubscribeId === 0 && anyIn(client.subscriptions, SubscriptionState.Unwanted);
}

/** Whether a client that is to leave has nothing more to wait for. */
function isDone(client: Client): boolean {
  return client.leaving && outboxCount(client.outbox) === 0 && releasesOf(client) === 0;
}

/** Messages at QoS 2 that the broker has, and has not let go of. */
function releasesOf(client: Client): number {
  return client.exactlyOnce === undefined ? 0 : client.exactlyOnce.releases.count;
}

function openLink(client: Client): void {
  disarm(client.timer);
  client.fault = Fault.None;
  client.state = ClientState.Opening;
  client.welcome = false;
  client.broker = client.nextBroker;
  const broker = brokerOf(client);
  client.link.open(broker.host, broker.port);
}

function linkUp(client: Client, now: Millis): void {
  senderReset(client);
  readerReset(client.reader);
  client.state = ClientState.Connecting;
  arm(client.timer, now, CONNACK_PATIENCE);
  client.unanswered++;
  if (client.five === undefined) sendControl(client, client.connectPacket);
  else client.five.connect(client);
}

function linkDown(client: Client, now: Millis, loss: LinkLoss): void {
  if (client.state === ClientState.Idle) return;
  const hadLink = client.state === ClientState.Connecting || client.state === ClientState.Online;
  const dismissed = client.state === ClientState.Leaving && !client.leaving;
  if (hadLink || dismissed || client.state === ClientState.Closing) client.stats.losses++;
  client.lastLoss = loss;
  outboxLinkLost(client.outbox);
  if (client.exactlyOnce !== undefined) client.exactlyOnce.linkLost();
  if (client.five !== undefined) client.five.linkLost();
  subscriptionsInterrupted(client.subscriptions);
  senderReset(client);
  client.quota = client.window;
  client.subscribeId = 0;
  client.unsubscribeId = 0;
  disarm(client.pingresp);
  disarm(client.ack);
  disarm(client.lasting);
  receivingLost(client, now);
  if (client.leaving) {
    client.state = ClientState.Idle;
    disarm(client.timer);
  } else {
    client.state = ClientState.BackingOff;
    // The pause comes when all have been tried.
    arm(client.timer, now, moveOn(client, loss) ? 0 : backoffNext(client.backoff, client.entropy));
  }
  client.events.offline(now);
}

/** What has come and was not dealt with goes with its link. */
function receivingLost(client: Client, now: Millis): void {
  const { hold, byHand, parts } = client;
  client.paused = false;
  if (hold !== undefined) hold.linkLost(client);
  if (byHand !== undefined) byHand.linkLost(client);
  if (parts !== undefined) parts.linkLost(client, now);
}

/** A session: its deadlines, its subscriptions, and its end. */
function keepSession(client: Client, now: Millis): void {
  const hold = client.hold;
  if (hold !== undefined && hold.holding) {
    hold.retry(client, now);
    if (client.state !== ClientState.Online) return;
  }
  if (hasOverrun(client) && !client.controlDue) {
    fail(client, Fault.Full);
    return;
  }
  // An answer that we have not read is not missing.
  if (!client.paused) {
    if (isDue(client.pingresp, now)) {
      fail(client, Fault.PingrespMissing);
      return;
    }
    if (isDue(client.ack, now) || (client.exactlyOnce !== undefined && isDue(client.exactlyOnce.patience, now))) {
      fail(client, Fault.AckMissing);
      return;
    }
  }
  if (isDue(client.lasting, now)) {
    disarm(client.lasting);
    backoffReset(client.backoff);
  }
  if (pingWait(client, now) === 0) sendPing(client, now);
  announce(client);
  if (wantsSubscribe(client)) sendSubscribe(client, now);
  if (wantsUnsubscribe(client)) sendUnsubscribe(client, now);
  if (isDone(client) || (client.leaving && isDue(client.leaveBy, now))) sayGoodbye(client);
}

/** Milliseconds until a PINGREQ is due, 0 when it is: the keep alive interval after the last packet. [MQTT-3.1.2-23] */
function pingWait(client: Client, now: Millis): number {
  if (client.keepAlive === 0) return LONGEST_WAIT;
  const wait = client.keepAlive * 1000 - elapsed(now, client.sentAt);
  if (wait < 0) return 0;
  return sooner(wait, LONGEST_WAIT);
}

/**
 * At most one PINGREQ is under way, unless its answer may have come and was not read: the broker is to hear from us all
 * the same [MQTT-3.1.2-24]. One that cannot be sent now is due again later, even if nothing else is sent.
 */
function sendPing(client: Client, now: Millis): void {
  client.sentAt = now;
  if ((client.pingresp.armed && !client.paused) || !sendBare(client, PacketType.Pingreq)) return;
  client.stats.pings++;
  arm(client.pingresp, now, PINGRESP_PATIENCE);
}

function sendSubscribe(client: Client, now: Millis): void {
  const five = client.five;
  if (five !== undefined && !five.maySubscribe(client, now)) return;
  const writer = controlBegin(client, client.subscribeSize);
  if (writer === undefined) return;
  client.subscribeId = nextId(client);
  if (five === undefined) writeSubscribe(writer, client.subscriptions);
  else five.subscribe(client, writer);
  controlEnd(client, SUBSCRIBE, client.subscribeId);
  expectAcks(client, now);
}

function sendUnsubscribe(client: Client, now: Millis): void {
  const writer = controlBegin(client, client.subscribeSize);
  if (writer === undefined) return;
  client.unsubscribeId = nextId(client);
  if (client.five === undefined) writeUnsubscribe(writer, client.subscriptions);
  else client.five.unsubscribe(client, writer);
  controlEnd(client, UNSUBSCRIBE, client.unsubscribeId);
  expectAcks(client, now);
}

/** Once the control ring is empty, there is room in it for both. */
function sayGoodbye(client: Client): void {
  if (client.controlDue) return;
  const { five, farewellPacket } = client;
  if (farewellPacket !== undefined && (five === undefined || five.takes(farewellPacket.length))) sendControl(client, farewellPacket);
  if (five === undefined) sendBare(client, PacketType.Disconnect);
  else five.leave(client);
  client.state = ClientState.Leaving;
}
