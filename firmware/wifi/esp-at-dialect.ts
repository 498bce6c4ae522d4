/**
 * How the generations of ESP-AT differ in what a driver has to say and may rely on. Which one a module speaks it tells
 * itself, in the first line of its answer to `AT+GMR`; one that does not is known by what it refuses.
 *
 * Sources: Espressif, "ESP8266 AT Instruction Set" (NonOS), ESP-AT user guide at 2.2, 2.4, 4.1 and 5.0.
 */
import type { Bytes } from "../../hal/hal";
import { decimalAt, find } from "#native";

export interface Dialect {
  /** What keeps the settings out of the module's flash; empty where the commands themselves say so. */
  readonly store: string;
  /** Chooses to be a station; begins a join; asks which network is joined. */
  readonly mode: string;
  readonly join: string;
  readonly network: string;
  /** Asks which links there are. `CIPSTATE` is from 2.2 on; 4.1 has taken `CIPSTATUS` off the books. */
  readonly links: string;
  /** What follows the port in a connect. A peer that is gone without a word is noticed by TCP's keep-alive of 60 s. */
  readonly connect: string;
  /** The most bytes of one send. */
  readonly maxSend: number;
  /** Milliseconds from `Recv` to `SEND OK`: NonOS waits for the peer's acknowledgement. */
  readonly sendPatience: number;
  /** `+++` on its own ends a send that waits for its payload. NonOS can only be fed the rest. */
  readonly cancels: boolean;
  /** A line end that its length does not count follows the payload of `+IPD`. */
  readonly tail: boolean;
  /**
   * Modem sleep, and none. Neither is kept over a reset; empty where a module does so anyway when it was reset. The numbers
   * mean different things: what is modem sleep to one is light sleep to the other, in which it does not hear its UART.
   */
  readonly sleep: string;
  readonly noSleep: string;
}

/** NonOS AT, up to 1.7. */
export const NONOS: Dialect = {
  store: "",
  mode: "AT+CWMODE_CUR=1",
  join: 'AT+CWJAP_CUR="',
  network: "AT+CWJAP_CUR?",
  links: "AT+CIPSTATUS",
  connect: ",60",
  maxSend: 2048,
  sendPatience: 30000,
  cancels: false,
  tail: false,
  sleep: "AT+SLEEP=2",
  noSleep: "AT+SLEEP=0",
};

/** ESP-AT before 2.4, and every module until it has said what it is. */
export const ESP_AT_2: Dialect = {
  store: "AT+SYSSTORE=0",
  mode: "AT+CWMODE=1",
  join: 'AT+CWJAP="',
  network: "AT+CWJAP?",
  links: "AT+CIPSTATUS",
  connect: ",60",
  maxSend: 2048,
  sendPatience: 15000,
  cancels: true,
  tail: true,
  sleep: "AT+SLEEP=1",
  noSleep: "",
};

/** From 2.4 on it takes longer sends. */
const ESP_AT_3: Dialect = {
  store: "AT+SYSSTORE=0",
  mode: "AT+CWMODE=1",
  join: 'AT+CWJAP="',
  network: "AT+CWJAP?",
  links: "AT+CIPSTATE?",
  connect: ",60",
  maxSend: 8192,
  sendPatience: 15000,
  cancels: true,
  tail: true,
  sleep: "AT+SLEEP=1",
  noSleep: "",
};

/** From 4.1 on a connect can be told to give up, so that its end comes before our patience does. */
const ESP_AT_4: Dialect = {
  store: "AT+SYSSTORE=0",
  mode: "AT+CWMODE=1",
  join: 'AT+CWJAP="',
  network: "AT+CWJAP?",
  links: "AT+CIPSTATE?",
  connect: ",60,,15000",
  maxSend: 8192,
  sendPatience: 15000,
  cancels: true,
  tail: true,
  sleep: "AT+SLEEP=1",
  noSleep: "",
};

/** What stands before the version in the first line of the answer to `AT+GMR`. */
export const VERSION = "AT version:";
const VERSION_LENGTH = 11;
const POINT = 46;

/** The dialect of a module that says the line `AT version:<major>.<minor>.…`; undefined when that cannot be read. */
export function dialectOf(bytes: Bytes, at: number, count: number): Dialect | undefined {
  const from = at + VERSION_LENGTH;
  const end = at + count;
  const point = find(bytes, from, end - from, POINT);
  if (point < 0) return undefined;
  const major = decimalAt(bytes, from, point - from);
  const after = find(bytes, point + 1, end - point - 1, POINT);
  const minor = after < 0 ? 0 : decimalAt(bytes, point + 1, after - point - 1);
  if (major < 0 || minor < 0) return undefined;
  if (major < 2) return NONOS;
  if (major === 2 && minor < 4) return ESP_AT_2;
  return major < 4 || (major === 4 && minor < 1) ? ESP_AT_3 : ESP_AT_4;
}
