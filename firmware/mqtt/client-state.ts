/** What an MQTT client knows: its record, its options, its counters, and the names of its states. */
import type { Bytes, Entropy, Millis } from "../../hal/hal";
import { type Backoff } from "../core/backoff";
import { type Link, type LinkLoss } from "../core/link";
import { type Deadline } from "../core/time";
import { type Writer } from "../core/writer";
import { type Breach } from "./breach";
import { type ConnectOptions, type Notice } from "./connect";
import { type ExactlyOnce } from "./exactly-once";
import { type Five } from "./five";
import { type Keeper } from "./keeper";
import { type Outbox } from "./outbox";
import { type Publication } from "./publication";
import { type Sources } from "./publish-source";
import { type Reader } from "./reader";
import { type ByHand, type Hold, type Parts } from "./receiving";
import { type Message, type Subscription } from "./subscriptions";

export const enum ClientState {
  /** Not started, or left for good. */
  Idle,
  /** Waiting for the next try. */
  BackingOff,
  /** A link was asked for. */
  Opening,
  /** CONNECT is sent or on its way, CONNACK is awaited. */
  Connecting,
  Online,
  /** DISCONNECT is queued: the link is closed behind it. */
  Leaving,
  /** The link is being closed without more words. */
  Closing,
}

/** Why the client itself closed its last link. */
export const enum Fault {
  None,
  /** The broker refused the CONNECT; see `refusal`. */
  Refused,
  /** No CONNACK in time. */
  ConnackMissing,
  /** No PINGRESP in time. */
  PingrespMissing,
  /** No PUBACK, PUBREC, PUBCOMP, SUBACK or UNSUBACK in time. */
  AckMissing,
  /** The broker sent what MQTT does not allow; see `breach`. */
  Violation,
  /** An acknowledgement had no room, or what it rests on could not be kept. */
  Full,
  /** The application wanted it: `clientDrop`. */
  Dropped,
  /** The source of a message had no more to give in the middle of it: see `publishFrom`. */
  Source,
  /** MQTT 5.0: the broker has sent DISCONNECT; see `refusal`. */
  Dismissed,
  /** MQTT 5.0: the application does not believe that the broker is who it should be. */
  NotAuthentic,
  /** MQTT 5.0: the client identifier that the broker gives has no room: see `FiveConnect.assignedIdSize`. */
  AssignedIdTooLong,
}

/** What was wrong with what the application wanted at boot. Nothing has changed by it. */
export const enum Mistake {
  None,

  // Of the options: the client does not start, and this stays the mistake.

  /** Protocol 5 without the feature `five`. */
  FiveMissing,
  /**
   * Empty with a session that is to be kept [MQTT-3.1.3-7]; in MQTT 3.1 not of 1 to 23 characters; too long, or
   * ill-formed. [MQTT-1.5.3-2]
   */
  ClientId,
  /** Not 0 to 65535 seconds. */
  KeepAlive,
  /** User name or password too long, or the user name ill-formed. */
  UserName,
  /** Will, birth or farewell: a topic that is no topic name (see below), no quality of service, a payload too long. */
  Notice,
  /** Names, passwords, notices and `subscribeRoom` twice take more than 60000 bytes together. */
  ControlSize,

  // Of one publication or subscription: it was not made.

  /** Neither 0, 1 nor 2. */
  Qos,
  /** QoS 2 without the feature `exactlyOnce`. */
  ExactlyOnceMissing,
  /** Empty, too long, ill-formed, or with a wildcard. [MQTT-4.7.3-1] [MQTT-3.3.2-2] */
  TopicName,
  /** Empty, too long, ill-formed, or with a wildcard that does not fill its level. [MQTT-4.7.1-2] [MQTT-4.7.1-3] */
  TopicFilter,
  /** The filters together take more than `subscribeRoom`. */
  SubscribeRoom,
  /** The longest packet of the publication is larger than the outbox. */
  OutboxSize,
}

/** Why a message was refused. Nothing has changed by it, and nothing was queued. */
export const enum PublishError {
  None,
  /** At QoS 0 it needs a session, and there is none. */
  NoSession,
  /** There is no room in the outbox, and its publication lets nothing be dropped that would make enough. Try again. */
  Full,
  /** The same, and there is no session: nothing makes room before there is one. */
  FullOffline,
  /** Even an empty outbox would be too small. */
  LargerThanOutbox,
  /** Its payload is longer than its publication allows. */
  TooLong,
  /** Another message is being written: {@link publishEnd} comes first. */
  Busy,
  /** Nothing was begun that could be ended. */
  NotBegun,
  /** The session is kept in storage, and the message could not be. */
  NotKept,
  /** A payload from a source needs the feature `sources`. */
  SourcesMissing,
  /** Another message from a source has not ended. */
  SourceBusy,
  /** What comes before the payload does not fit into the stage of the feature `sources`. */
  LargerThanStage,
  /** MQTT 5.0: the broker of this session takes no packet of that size, no such quality of service, nothing retained. */
  PacketTooLarge,
  QosTooHigh,
  RetainRefused,
}

/** Where a broker listens. */
export interface Broker {
  /** Name or address, at most 64 bytes; and 1 to 65535. */
  readonly host: string;
  readonly port: number;
}

export interface ClientOptions extends ConnectOptions, Broker {
  /** The brokers to try after that, one after the other, when it gives no session. */
  readonly otherBrokers?: readonly Broker[] | undefined;
  /** Published, at QoS 0, as the first thing of every session, and again by {@link clientAnnounce}. */
  readonly birth?: Notice | undefined;
  /** Published, at QoS 0, as the last thing before DISCONNECT, since a clean end discards the will. */
  readonly farewell?: Notice | undefined;
  /** The outbox: bytes, and packets. */
  readonly outboxSize: number;
  readonly outboxSlots: number;
  /** The largest packet that is delivered, in bytes after its fixed header. A larger PUBLISH is read over. */
  readonly receiveSize: number;
  /** How many bytes a SUBSCRIBE with every filter of the client may take. */
  readonly subscribeRoom: number;
  /** The most PUBLISH packets in one run of the link. 1 sends each on its own; 32767 sends all that fit together. */
  readonly coalesce: number;
  /**
   * The most messages at QoS 1 and 2 that are under way at once, 1 to 32767; the others wait in the outbox. Left out:
   * as many as the outbox holds.
   */
  readonly maxInFlight?: number | undefined;
  /** QoS 2 in both directions: `createExactlyOnce`. */
  readonly exactlyOnce?: ExactlyOnce | undefined;
  /** MQTT 5.0. */
  readonly five?: Five | undefined;
  /** Keeps the session through a restart of the board. */
  readonly keeper?: Keeper | undefined;
  /** Messages whose payload comes from a source, of any size: `createSources`. */
  readonly sources?: Sources | undefined;
  /** A handler may say "not now": `createHold`. */
  readonly hold?: Hold | undefined;
  /** Subscriptions whose messages the application acknowledges itself: `createByHand`. */
  readonly byHand?: ByHand | undefined;
  /** Payloads that are larger than `receiveSize`: `createParts`. */
  readonly parts?: Parts | undefined;
}

/** What the application is told. It may publish from within. */
export interface ClientEvents {
  /** The broker has accepted the session. `sessionPresent`: it still knows the one before. */
  online(now: Millis, sessionPresent: boolean): void;
  /** The session's link is gone. Also after a failed try. */
  offline(now: Millis): void;
  /**
   * Before `online`: the broker does not know the session that was to go on. `discarded` messages at QoS 2 that it may
   * or may not have taken in were given up: to send them again could deliver them twice. The rest goes on as it was.
   */
  sessionLost?(now: Millis, discarded: number): void;
  /**
   * The message with this packet identifier, at QoS 1 or 2, was accepted and waited, and was dropped for another before
   * it was sent: see `WhenFull`. The identifier is free again. Called while that other is published: do not publish.
   */
  dropped?(id: number): void;
}

/** Counters since power-on. They only grow. */
export interface ClientStats {
  /** Messages accepted into the outbox, those at QoS 1 and 2 whose flow has ended, and sends of them again. */
  published: number;
  acknowledged: number;
  retried: number;
  /** Messages not accepted: no room; QoS 0 without a session; payload longer than its publication allows. */
  refused: number;
  offline: number;
  tooLong: number;
  /**
   * Messages that were accepted and never sent: dropped at QoS 0 for one at QoS 1 or 2; as the oldest; and for a newer
   * one of the same topic.
   */
  displaced: number;
  overwritten: number;
  replaced: number;
  /** Messages received, those that no subscription wanted, and those too large to be delivered. */
  received: number;
  unmatched: number;
  oversize: number;
  /** Sessions begun, connects that the broker refused, and links lost once they were up. */
  sessions: number;
  refusals: number;
  losses: number;
  /** Times that the broker broke the protocol, and filters that it refused: their messages will not come. */
  violations: number;
  subscriptionsRefused: number;
  /** PINGREQs sent. */
  pings: number;
}

/** At most 64 fields: with one more, the record takes 1 KB more of a chip's RAM. */
export interface Client {
  readonly options: ClientOptions;
  readonly link: Link;
  readonly entropy: Entropy;
  readonly events: ClientEvents;
  readonly subscriptions: Subscription[];
  /** Their filters, in the same order, as `matchFilter` reads them. */
  readonly filters: Bytes;
  /** How many bytes a SUBSCRIBE with all of them takes. */
  subscribeSize: number;
  readonly outbox: Outbox;
  /** The queue in it, at hand for those who write messages. */
  readonly outboxQueue: Bytes;
  /** Everything but PUBLISH, and the notices: sent before the outbox, so that a full outbox never holds back an ack. */
  readonly control: Bytes;
  readonly controlSize: number;
  /** Something in there waits to be sent. */
  controlDue: boolean;
  readonly reader: Reader;
  readonly stats: ClientStats;
  state: ClientState;
  fault: Fault;
  /** Why the last thing that was refused at boot was. With wrong options the client does not start. */
  mistake: Mistake;
  /** Why the last message that was refused was. */
  publishError: PublishError;
  /**
   * The return code of the last refused CONNECT, 1 to 5 [MQTT 3.1.1 §3.2.2.3]; in MQTT 5.0 the reason code of that, or of
   * the broker's DISCONNECT.
   */
  refusal: number;
  /** What the broker did the last time that it broke the protocol. It stays until it does so again. */
  breach: Breach;
  lastLoss: LinkLoss;

  /** The broker of the last link, and that of the next: 0 the first, then those of `otherBrokers`. */
  broker: number;
  nextBroker: number;
  /** The last link has carried a session. */
  welcome: boolean;

  readonly connectPacket: Bytes;
  /**
   * How many bytes must have come for each acknowledgement of 4 bytes that they ask for: what may come in is measured by
   * it, so that every acknowledgement has room.
   */
  askSize: number;
  /** The PUBACK that is sent next; and two bytes, where a packet identifier will stand. */
  readonly pubackPacket: Bytes;
  readonly noId: Bytes;
  readonly birthPacket: Bytes | undefined;
  /** A board that only goes to sleep takes it away: nobody is to think that it is gone. */
  farewellPacket: Bytes | undefined;

  readonly backoff: Backoff;
  /** The next try, or the end of patience with CONNACK. */
  readonly timer: Deadline;
  readonly lasting: Deadline;
  /** The longest silence in this session, in seconds, 0 for any: in MQTT 5.0 the broker may set it. */
  keepAlive: number;
  /** When something was sent last: the next PINGREQ counts from there. */
  sentAt: Millis;
  /** The end of patience with PINGRESP. */
  readonly pingresp: Deadline;
  readonly ack: Deadline;
  readonly leaveBy: Deadline;
  leaving: boolean;
  announce: boolean;
  /** How many CONNECTs were sent since the last one that the broker accepted, as far as we know. */
  unanswered: number;

  /**
   * Packet identifiers: the last one given (behind `publishEnd` that of the message, at QoS 1 and 2), up to which one those behind it are known to be free (0: it must be looked
   * for), and those of the SUBSCRIBE and UNSUBSCRIBE under way (0: none).
   */
  lastId: number;
  freeTo: number;
  subscribeId: number;
  unsubscribeId: number;

  /** What is left of the control packets in the run that was offered; the messages come after them. */
  planControl: number;

  /**
   * The send window: how many messages in the outbox may have been sent, at QoS 1 and 2, and how many more of them may
   * be sent now; the difference waits for PUBACK or PUBREC. A message whose PUBREC has come takes one away from both,
   * until its PUBCOMP. [MQTT5 §4.9]
   */
  window: number;
  quota: number;
  /** The most that may be under way in this session. */
  maxInFlight: number;
  /** The broker may hold a session of ours: if it does not, one was lost. */
  sessionHeld: boolean;

  readonly exactlyOnce: ExactlyOnce | undefined;
  /** Only when it is spoken. */
  readonly five: Five | undefined;
  readonly keeper: Keeper | undefined;
  readonly sources: Sources | undefined;
  readonly hold: Hold | undefined;
  readonly byHand: ByHand | undefined;
  readonly parts: Parts | undefined;
  /** Nothing is read from the link, by our own choice: what the broker has answered may lie in what was not read. */
  paused: boolean;

  /** The publish that is being written. */
  readonly draft: Writer;
  draftOf: Publication | undefined;
  /** A payload may go straight into the outbox: nothing is being written, and nothing has to be kept before. */
  direct: boolean;
  /** Neither MQTT 5.0 nor a keeper has anything to do with a message: what most clients are asks only this. */
  readonly plain: boolean;
  /** For control packets while they are encoded. */
  readonly encoder: Writer;
  readonly message: Message;
}
