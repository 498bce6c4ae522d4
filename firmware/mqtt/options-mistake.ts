/** What of its options a client cannot go by: found at once, before anything is sent. */
import type { Bytes } from "../../hal/hal";
import { allocate, isUtf8, putText, textLength } from "#native";
import { type Client, type ClientOptions, Mistake } from "./client-state";
import { type Notice } from "./connect";
import { type Qos } from "./packet";
import { isTopicName } from "./topic";

/** The longest client identifier of MQTT 3.1, in bytes. [MQTT 3.1 §3.1] */
const LONGEST_ID_3_1 = 23;
/** What two bytes can say: the length of a text, a keep alive interval. [MQTT-4.7.3-3] */
const LARGEST = 65535;
/** What CONNECT, notices, SUBSCRIBE and UNSUBSCRIBE may take: in one ring of 65535 bytes, with acknowledgements. */
const MOST_CONTROL = 60000;

/** The first mistake of the options. @boot */
export function mistakeIn(options: ClientOptions): Mistake {
  const { clientId, userName = "", password = "", keepAlive, will, birth, farewell } = options;
  if (options.protocol === 5 && options.five === undefined) return Mistake.FiveMissing;
  if (!isIdLength(options)) return Mistake.ClientId;
  if (keepAlive < 0 || keepAlive > LARGEST) return Mistake.KeepAlive;
  if (textLength(userName) > LARGEST || textLength(password) > LARGEST) return Mistake.UserName;
  const size = textLength(clientId) + textLength(userName) + textLength(password);
  if (!isNoticeLength(will) || !isNoticeLength(birth) || !isNoticeLength(farewell)) return Mistake.Notice;
  if (size + sizeOf(will) + sizeOf(birth) + sizeOf(farewell) + 2 * options.subscribeRoom > MOST_CONTROL) return Mistake.ControlSize;
  // Each text is laid out in one buffer to be looked at, since what is allocated is never given back.
  const scratch = allocate(longer(longer(longer(longer(longer(1, clientId), userName), will?.topic), birth?.topic), farewell?.topic));
  if (!isUtf8(scratch, 0, putText(scratch, 0, clientId))) return Mistake.ClientId;
  if (!isUtf8(scratch, 0, putText(scratch, 0, userName))) return Mistake.UserName;
  return isNotice(will, scratch) && isNotice(birth, scratch) && isNotice(farewell, scratch) ? Mistake.None : Mistake.Notice;
}

/** Whether a client with this mistake cannot start. Any other is about one publication or subscription. */
export function isOfOptions(mistake: Mistake): boolean {
  return mistake !== Mistake.None && mistake <= Mistake.ControlSize;
}

/** Names what was refused at boot, unless the client cannot start anyway. */
export function noteMistake(client: Client, mistake: Mistake): void {
  if (!isOfOptions(client.mistake)) client.mistake = mistake;
}

function isNoticeLength(notice: Notice | undefined): boolean {
  return notice === undefined || (textLength(notice.topic) <= LARGEST && textLength(notice.payload) <= LARGEST);
}

function sizeOf(notice: Notice | undefined): number {
  return notice === undefined ? 0 : textLength(notice.topic) + textLength(notice.payload);
}

/** In MQTT 5.0 who has no name is given one. */
function isIdLength({ protocol, clientId, cleanSession }: ClientOptions): boolean {
  const length = textLength(clientId);
  if (protocol === 3) return length >= 1 && length <= LONGEST_ID_3_1;
  if (length === 0) return protocol === 5 || cleanSession;
  return length <= LARGEST;
}

function longer(length: number, text = ""): number {
  const other = textLength(text);
  return other > length ? other : length;
}

function isNotice(notice: Notice | undefined, scratch: Bytes): boolean {
  if (notice === undefined) return true;
  if (!isTopicName(scratch, 0, putText(scratch, 0, notice.topic))) return false;
  return isQos(notice.qos);
}

/** Whether a number is a quality of service. Applications that are not type-checked may give any. */
export function isQos(qos: number): qos is Qos {
  return qos === 0 || qos === 1 || qos === 2;
}
