/**
 * MQTT 5.0: what an application hands to its client that is to speak it.
 *
 *     const five = createFive({ sessionExpiry: 3600, aliasesIn: 4, aliasTopicSize: 64, events: { told(now, report) { … } } });
 *     const client = createClient({ …, protocol: 5, five }, link, entropy, events);
 *     const commands = addSubscription(client, "moth/1/command", 1, {
 *       message(now, message) {
 *         if (findProperty(five.properties, Property.ResponseTopic)) …
 *       },
 *     });
 *     if (commands !== undefined) subscribeWith(commands, { noLocal: true });
 *
 * What the properties of a message are is found with `findProperty` and `nextProperty` in `five.properties`, for the
 * length of the handler's call; what is sent with a message is said by `withProperties` and `answerWith`.
 */
import { allocate, putU16 } from "#native";
import { type Span } from "../../core/link";
import { createDeadline, waitFor } from "../../core/time";
import { type Client, type ClientOptions, ClientState, Fault } from "../client-state";
import { fail } from "../incoming";
import { lengthBytes, PacketType } from "../packet";
import { sendControl } from "../sender";
import { anyIn, SubscriptionState } from "../subscriptions";
import { createAck, createReasonedAck } from "./acks";
import { createAliasesIn } from "./aliases";
import { authRoom } from "./auth";
import { createGranted } from "./connack";
import { connectRoom, createConnectParts, type Intake } from "./connect";
import { DISCONNECT_ROOM } from "./disconnect";
import { pollExpiries } from "./expiry";
import { createProperties, MOST } from "./properties";
import { createInbound } from "./publish";
import { Reason } from "./reason";
import { largeCame, listen } from "./receive";
import { begin, end, fits, forgetAnswer } from "./send";
import { dismiss, leave, linkLost, sendConnect } from "./session";
import { AliasState, type Expiry, type FiveOptions, type FiveState } from "./state";
import { createAnswer, SUBSCRIBE_PROPERTIES_ROOM } from "./subscribe";
import { refuseUnavailable, writeSubscribe, writeUnsubscribe } from "./subscriptions";

const EXPIRIES = 16;
const ANY_NUMBER = 65535;
/** The fixed header of a packet with a body of `size` bytes, its reason code among them. */
const FIXED_HEADER = 5;
/** What an acknowledgement may take more than in MQTT 3.1.1, as `askSize` reckons with it. */
const REASONED = 2;

/** @boot */
function createSpan(): Span {
  return { bytes: allocate(1), at: 0, count: 0 };
}

/** A feature for one client. @boot */
export function createFive(own: FiveOptions): FiveState {
  const aliases: AliasState[] = [];
  for (let i = 0; i < (own.aliasesOut ?? 0); i++) aliases.push(AliasState.Unknown);
  const expiries: Expiry[] = [];
  for (let i = 0; i < (own.expiries ?? EXPIRIES); i++) expiries.push({ id: 0, since: 0, seconds: 0 });
  const nobody = { clientId: "", cleanSession: true, keepAlive: 0 };
  const five: FiveState = {
    protocol: 5,
    subscribeRoom: SUBSCRIBE_PROPERTIES_ROOM,
    sessionKept: false,
    own,
    granted: createGranted(),
    properties: createProperties(),
    report: {
      packet: PacketType.Connack,
      reason: 0,
      id: 0,
      topic: createSpan(),
      text: createSpan(),
      reference: createSpan(),
    },
    stats: { rejected: 0, tooLarge: 0, qosTooHigh: 0, retainRefused: 0, expired: 0 },
    leaveReason: Reason.Success,
    leaveExpiry: -1,
    fault: Reason.Success,
    parts: createConnectParts(nobody, own, { packetSize: MOST, messages: ANY_NUMBER }),
    room: allocate(1),
    inbound: createInbound(),
    ack: createAck(),
    answer: createAnswer(),
    aliasesIn: createAliasesIn(own.aliasesIn ?? 0, own.aliasTopicSize ?? 0),
    readsOver: false,
    packetSize: MOST,
    packetIsLimited: false,
    intake: ANY_NUMBER,
    maxInFlight: ANY_NUMBER,
    aliases,
    aliasesGiven: 0,
    answerTo: createSpan(),
    correlation: createSpan(),
    bodyAt: 0,
    draftAlias: 0,
    now: 0,
    expiries,
    expiryDue: createDeadline(),
    refusal: 0,
    refusalPacket: createReasonedAck(PacketType.Puback * 16),
    authData: allocate((own.authentication?.room ?? 0) + 1),
    reasonByte: allocate(1),
    authenticating: false,
    prepare(options, maxInFlight) {
      return prepare(five, options, maxInFlight);
    },
    listen(client, events) {
      return listen(five, client, events);
    },
    large(client, qos) {
      return largeCame(five, client, qos);
    },
    connect(client) {
      sendConnect(five, client);
    },
    linkLost() {
      linkLost(five);
    },
    poll(client, now) {
      five.now = now;
      pollExpiries(five, client, now);
    },
    wait(now) {
      return waitFor(five.expiryDue, now);
    },
    dismiss(client, fault) {
      return dismiss(five, client, fault);
    },
    leave(client) {
      leave(five, client);
    },
    begin(client, publication) {
      return begin(five, client, publication);
    },
    fits(client, publication) {
      return fits(five, client, publication);
    },
    end(client, publication) {
      return end(five, client, publication);
    },
    takes(size) {
      return size <= five.granted.maximumPacketSize;
    },
    forgetAnswer() {
      forgetAnswer(five);
    },
    maySubscribe(client, now) {
      refuseUnavailable(five, client, now);
      return anyIn(client.subscriptions, SubscriptionState.Wanted);
    },
    subscribe(client, writer) {
      writeSubscribe(five, client.subscriptions, writer);
    },
    unsubscribe(client, writer) {
      writeUnsubscribe(five, client.subscriptions, writer);
    },
    refused(client, qos, id) {
      return refused(five, client, qos, id);
    },
  };
  return five;
}

/** @boot */
function prepare(five: FiveState, options: ClientOptions, maxInFlight: number): number {
  const own = five.own;
  const intake = intakeOf(own, options);
  five.intake = intake.messages;
  five.packetSize = intake.packetSize;
  five.packetIsLimited = intake.packetSize < sizeOf(options.receiveSize);
  five.readsOver = own.maximumPacketSize !== undefined || options.parts !== undefined;
  five.maxInFlight = maxInFlight;
  five.parts = createConnectParts(options, own, intake);
  five.room = allocate(options.receiveSize + (own.aliasTopicSize ?? 0) + 1);
  const data = own.authentication?.room ?? 0;
  const auth = own.authentication === undefined ? 0 : FIXED_HEADER + 1 + authRoom(own.authentication.method, data);
  return (
    FIXED_HEADER +
    five.parts.head.length +
    connectRoom(five.parts, data) +
    auth +
    (options.byHand === undefined ? 0 : options.byHand.slots * REASONED) +
    FIXED_HEADER +
    1 +
    DISCONNECT_ROOM +
    2 * SUBSCRIBE_PROPERTIES_ROOM
  );
}

/** A packet with `remaining` bytes behind its fixed header, all of it. */
function sizeOf(remaining: number): number {
  return 1 + lengthBytes(remaining) + remaining;
}

/** What the client takes in whole, or with `parts` in any size, unless it says something else. @boot */
function intakeOf(own: FiveOptions, options: ClientOptions): Intake {
  const whole = options.parts === undefined ? sizeOf(options.receiveSize) : MOST;
  const borne = options.exactlyOnce?.received.capacity ?? ANY_NUMBER;
  const owed = options.byHand?.slots ?? ANY_NUMBER;
  const most = owed < borne ? owed : borne;
  const wanted = own.receiveMaximum ?? most;
  return {
    packetSize: own.maximumPacketSize ?? whole,
    messages: wanted < most ? wanted : most,
  };
}

/**
 * Said by a handler in the middle of a message at QoS 1 or 2: it is not taken, for `reason`, 0x80 or more, and it must be
 * one that PUBACK and PUBREC can have [MQTT5-3.4.2-1]. It is acknowledged with that, and does not come again. Where it is
 * acknowledged by hand, that is the acknowledgement, whatever another handler says; `refuse` is for saying so later.
 */
export function refuseMessage(five: FiveState, reason: number): void {
  five.refusal = reason;
}

function refused(five: FiveState, client: Client, qos: number, id: number): boolean {
  if (five.refusal === 0 || client.state !== ClientState.Online) return false;
  const packet = five.refusalPacket;
  packet[0] = (qos === 1 ? PacketType.Puback : PacketType.Pubrec) * 16;
  putU16(packet, 2, id);
  packet[4] = five.refusal;
  five.refusal = 0;
  // [MQTT5-4.3.3-9]
  if (client.exactlyOnce !== undefined && qos === 2) client.exactlyOnce.forget(client, id);
  // An acknowledgement without the reason may find room, but would be a lie.
  if (!sendControl(client, packet)) fail(client, Fault.Full);
  return true;
}
