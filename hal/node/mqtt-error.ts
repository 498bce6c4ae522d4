import { brokerOf } from "../../firmware/mqtt/brokers";
import { type Client, Fault } from "../../firmware/mqtt/client-state";
import { Unsent } from "../../firmware/mqtt/five/state";
import { reasonText } from "./mqtt-reason";

/** Why something that was asked of the MQTT client did not happen. */
export type MqttTrouble =
  /** No broker could be reached, or made sure of: the message has what the system said. */
  | "unreachable"
  /** The broker refused the session, the subscription, or in MQTT 5.0 the message. */
  | "refused"
  /** The broker broke the protocol, did not answer in time, or hung up. */
  | "lost"
  /** There is no session, and QoS 0 is for the session that there is. */
  | "offline"
  /** It cannot be sent: the topic or the filter is not well-formed, the message too long, the QoS not to be had. */
  | "invalid"
  /** There is no room for it, now or ever; the message says for what. */
  | "full"
  /** It was dropped from the outbox: the broker has forgotten the session, or nobody wants it any more. */
  | "dropped"
  /** The client was told to leave. */
  | "left";

export interface MqttErrorOptions extends ErrorOptions {
  readonly reasonCode?: number;
}

export class MqttError extends Error {
  /** The broker's reason code of MQTT 5.0, or the return code of its CONNACK, if that is what it rests on. */
  readonly reasonCode: number | undefined;

  constructor(
    readonly trouble: MqttTrouble,
    message: string,
    options?: MqttErrorOptions,
  ) {
    super(message, options);
    this.name = "MqttError";
    this.reasonCode = options?.reasonCode;
  }
}

/** The return codes of a CONNACK that refuses. [MQTT 3.1.1 §3.2.2.3] */
const REFUSALS = [
  "",
  "it does not speak this version of MQTT",
  "it does not allow this client id",
  "it is not available",
  "user name or password is wrong",
  "this client is not authorised",
];

/**
 * Why the session is gone, or did not come about; `problem` is what the socket said of it, if anything, and `words` what
 * the broker has said in MQTT 5.0.
 */
export function whyOffline(client: Client, problem: Error | undefined, words: string): MqttError {
  const broker = brokerOf(client);
  const where = `${broker.host}:${broker.port}`;
  switch (client.fault) {
    case Fault.Refused:
      return new MqttError("refused", `${where} refused: ${refusalText(client, words)}`, { reasonCode: client.refusal });
    case Fault.Dismissed: {
      const text = `${where} ended the link: ${reasonText(client.refusal, words)}`;
      return new MqttError("lost", text, { reasonCode: client.refusal });
    }
    case Fault.NotAuthentic:
      return new MqttError("lost", `${where} did not show that it is who it should be`);
    case Fault.AssignedIdTooLong:
      return new MqttError("lost", `${where} gave a client id that is too long: see five.assignedIdSize`);
    case Fault.ConnackMissing:
      return new MqttError("lost", `${where} did not answer the CONNECT`);
    case Fault.PingrespMissing:
      return new MqttError("lost", `${where} did not answer the PINGREQ`);
    case Fault.AckMissing:
      return new MqttError("lost", `${where} did not acknowledge`);
    case Fault.Violation:
      return new MqttError("lost", `${where} broke the protocol`);
    case Fault.Full:
      return new MqttError("lost", `there was no room to acknowledge what ${where} sent`);
    case Fault.Source:
      return new MqttError("lost", "a message from a source had no end");
    case Fault.None:
      break;
  }
  if (client.leaving) return new MqttError("left", "the client has left");
  const trouble = client.welcome ? "lost" : "unreachable";
  return new MqttError(trouble, `${where}: ${problem?.message ?? "the link was closed by the broker"}`, { cause: problem });
}

function refusalText({ five, refusal }: Client, words: string): string {
  return five === undefined ? `${REFUSALS[refusal] ?? "no reason given"} (${refusal})` : reasonText(refusal, words);
}

/** Why a message was not sent in MQTT 5.0. */
export function unsentError(why: Unsent): MqttError {
  switch (why) {
    case Unsent.TooLarge:
      return new MqttError("refused", "the broker of this session does not take so large a packet");
    case Unsent.Qos:
      return new MqttError("refused", "the broker of this session does not have this QoS");
    case Unsent.Retain:
      return new MqttError("refused", "the broker of this session retains nothing");
    case Unsent.Expired:
      return new MqttError("dropped", "its expiry was over before it could be sent");
  }
}
