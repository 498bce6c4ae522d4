import { randomBytes } from "node:crypto";
import type { Broker, ClientOptions } from "../../firmware/mqtt/client-state";
import type { Notice, Protocol } from "../../firmware/mqtt/connect";
import { createExactlyOnce } from "../../firmware/mqtt/exactly-once/create";
import type { Five, FiveConnect } from "../../firmware/mqtt/five";
import type { Entropy } from "../hal";
import type { TlsOptions } from "./link-tcp";
import type { MqttError } from "./mqtt-error";

/** What {@link connect} is told. All but the host has a default. Where a field has a name of MQTT's, so has its meaning. */
export interface MqttOptions {
  readonly host: string;
  /** Default: 1883, with `tls` 8883. */
  readonly port?: number;
  /** The brokers to try after that, one after the other, when it gives no session. */
  readonly otherBrokers?: readonly Broker[];
  /** TLS, and what is checked with it. `{}` is TLS with the authorities that Node knows. Default: plain TCP. */
  readonly tls?: TlsOptions;
  /** How long a broker may take until the stream is up, TLS handshake included, in ms. Default: 10000. */
  readonly linkPatience?: number;
  /** 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. Default: 4. */
  readonly protocol?: Protocol;
  /** What MQTT 5.0 adds to CONNECT, for protocol 5 alone: `sessionExpiry`, `receiveMaximum`, `maximumPacketSize` and more. */
  readonly five?: FiveConnect;
  /** Default: one that nobody else has. A session that is to be found again needs one of its own. */
  readonly clientId?: string;
  /**
   * False: the broker keeps subscriptions and messages while the client is away. Default: true. In MQTT 5.0 it is Clean
   * Start, and `five.sessionExpiry` says how long they are kept: left out, for ever with false, and not at all with true.
   */
  readonly clean?: boolean;
  /** Seconds, 0 to 65535; 0 turns it off. Default: 60. */
  readonly keepAlive?: number;
  readonly userName?: string;
  readonly password?: string;
  readonly will?: Notice;
  /** Published, at QoS 0, as the first thing of every session; and as the last before the client leaves. */
  readonly birth?: Notice;
  readonly farewell?: Notice;
  /** The outbox: bytes, at most 65535, and packets. Defaults: 65535 and 4096. */
  readonly outboxSize?: number;
  readonly outboxSlots?: number;
  /** The most messages at QoS 1 and 2 that are under way at once, 1 to 4096, the default. */
  readonly maxInFlight?: number;
  /**
   * The most of them at QoS 2, others wait. Default: 20, what Mosquitto bears in mind of each client unless it is told
   * otherwise. What comes beyond that it loses in MQTT 3.1.1, and says nothing.
   */
  readonly exactlyOnceInFlight?: number;
  /** RabbitMQ takes a message at QoS 2 as one at QoS 1, and says PUBACK. True: that ends it. Default: false, as MQTT has it. */
  readonly pubackEnds?: boolean;
  /**
   * The largest packet that is delivered, in bytes, at most 65535, the default. A larger one is read over. In MQTT 5.0 it
   * is one byte less, less `five.aliasTopicSize`, and the broker is told, unless `five.maximumPacketSize` says otherwise.
   */
  readonly receiveSize?: number;
  /** How many bytes all filters together take in one SUBSCRIBE. Default: 8192. */
  readonly subscribeRoom?: number;
  /** What the pause before the next try is drawn from. Default: the system's randomness. */
  readonly entropy?: Entropy;
  /** There is a session. `sessionPresent`: the broker still knows the one before. */
  readonly onOnline?: (sessionPresent: boolean) => void;
  /** The session is gone, or did not come about, and why. The client tries again by itself. */
  readonly onOffline?: (why: MqttError) => void;
  /**
   * Before `onOnline`: the broker does not know the session that was to go on. `discarded` messages at QoS 2 that it may
   * or may not have taken were given up; their promises reject. What was sent at QoS 1 is sent again.
   */
  readonly onSessionLost?: (discarded: number) => void;
}

const PORT = 1883;
const TLS_PORT = 8883;
const LARGEST = 65535;
const OUTBOX_SLOTS = 4096;
/** How many of our messages at QoS 1 and 2 are under way at most. */
const SENDING = 4096;
/**
 * How many of the broker's at QoS 2: the most that there can be, since Mosquitto 2.0 has all that waits for a client
 * under way at once, whatever it is told.
 */
const RECEIVING = 16383;
const SUBSCRIBE_ROOM = 8192;
const KEEP_ALIVE = 60;
/** As many packets as fit go out together. */
const COALESCE = 32767;

/** The options of the firmware's client. */
export function clientOptions(options: MqttOptions, five: Five | undefined): ClientOptions {
  const { host, otherBrokers, protocol, userName, password, will, birth, farewell, maxInFlight } = options;
  return {
    host,
    port: options.port ?? (options.tls === undefined ? PORT : TLS_PORT),
    otherBrokers,
    protocol,
    clientId: options.clientId ?? `moth-${randomBytes(8).toString("hex")}`,
    cleanSession: options.clean ?? true,
    keepAlive: options.keepAlive ?? KEEP_ALIVE,
    userName,
    password,
    will,
    birth,
    farewell,
    outboxSize: options.outboxSize ?? LARGEST,
    outboxSlots: options.outboxSlots ?? OUTBOX_SLOTS,
    receiveSize: Math.min(options.receiveSize ?? LARGEST, largestReceived(options)),
    subscribeRoom: options.subscribeRoom ?? SUBSCRIBE_ROOM,
    coalesce: COALESCE,
    maxInFlight,
    exactlyOnce: createExactlyOnce({ sending: SENDING, receiving: RECEIVING, pubackEnds: options.pubackEnds }),
    five,
  };
}

/** MQTT 5.0 puts messages together anew, in a buffer that has room for a topic besides. */
function largestReceived({ protocol, five }: MqttOptions): number {
  return protocol === 5 ? LARGEST - 1 - (five?.aliasTopicSize ?? 0) : LARGEST;
}
