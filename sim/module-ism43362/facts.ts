/**
 * What an ISM43362 says, takes and can hold. Where it was read: the head of `firmware/wifi/ism43362/ism43362.ts`. What
 * nobody tells is marked (chosen): there the module does what is hardest on its host.
 */

/** A span of time in ms from which each delay is drawn, least and most. */
export type Span = readonly [number, number];

/** Ends every reply, and stands alone after a boot. */
export const PROMPT = "\r\n> ";
/** Stands between the data of a reply, which may be none, and the prompt. */
export const OK = "\r\nOK";
/** The only text that was seen of an error; a line on how the command is used follows, unless `MT=1`. */
export const ERROR = "\r\nERROR: Unknown Error";

export const LIMITS = {
  /** A command with its value (chosen). One that is longer is refused. */
  line: 256,
  /** `R1`, mbed; `S3`, mbed. */
  receive: 1200,
  send: 1460,
  ssid: 32,
  password: 64,
  host: 64,
  sockets: 4,
  /** Milliseconds that `R2` and `S2` take: Analog Devices. */
  timeout: 30_000,
  /** What a socket holds of received bytes before its peer is stopped, and of sent ones before the sender waits (chosen). */
  window: 4096,
  sendBuffer: 4096,
  /** The UART's (chosen): bytes that come during a command wait here. */
  receiveRing: 2048,
  transmitRing: 4096,
  leastBaud: 1200,
  mostBaud: 3_916_800,
  baud: 115_200,
} as const;

export const TIMINGS = {
  /** Reset to the prompt: drivers wait 500 ms, more than 600 were seen. */
  boot: [500, 800],
  /** A command that only sets or tells something (chosen). */
  command: [2, 6],
  /** Joined after 8 s, with DHCP; a failure was never timed (chosen). */
  join: [2500, 8000],
  joinFailure: [3000, 9000],
  scan: [1500, 3000],
  /** Until the loss of the access point's beacons counts as the loss of the network (chosen). */
  beaconLoss: [5500, 7000],
  /** A connect that nobody answers, and a name that nobody knows (chosen). */
  connect: [10_000, 18_000],
} as const satisfies Record<string, Span>;

/** `I?`, as mbed's driver has it, for the UART's firmware. */
export const INFORMATION = "ISM43362-M3G-L44-UART,C3.5.2.5.STM,v3.5.2,v1.4.0.rc1,v8.2.1,120000000,Inventek eS-WiFi";
