/** A span of time in ms from which each delay is drawn, least and most. */
export type Span = readonly [number, number];

/** What a module of one firmware generation prints. Every entry goes onto the wire in one piece. */
export interface Strings {
  readonly ready: string;
  readonly ok: string;
  readonly error: string;
  /** Ends a join that failed, after the line that says why. */
  readonly joinError: string;
  readonly prompt: string;
  readonly sendOk: string;
  readonly sendFail: string;
  readonly sendCancelled: string;
  readonly busyProcessing: string;
  readonly forcedRestart: string;
  readonly version: string;
  received(count: number): string;
  errorCode(code: number): string;
  joinFailed(reason: number): string;
  /** Goes before the data of a link in active receive mode; {@link activeTail} goes after it. */
  activeHead(link: string, count: number, from: string): string;
  readonly activeTail: string;
  /** Tells that data waits in passive receive mode. */
  passiveNotice(link: string, count: number): string;
  /** Goes before data that was asked for in passive receive mode. */
  passiveHead(count: number, from: string): string;
  peer(ip: string, port: number): string;
}

/** Sizes and ranges, in bytes unless noted. */
export interface Limits {
  /** Command line including CR LF. */
  readonly line: number;
  /** Bytes without a line end that are kept before all are dropped. */
  readonly partialLine: number;
  readonly ssid: number;
  readonly password: number;
  readonly host: number;
  /** Number of TCP links. */
  readonly links: number;
  /** Most that one AT+CIPSEND takes. */
  readonly send: number;
  /** Most data in one unsolicited piece. */
  readonly activePiece: number;
  /** What a link receives before its peer is stopped. */
  readonly receiveWindow: number;
  /** What a link takes for sending before the sender waits. */
  readonly sendBuffer: number;
  /** Bits per second. */
  readonly leastBaud: number;
  readonly mostBaud: number;
  readonly defaultBaud: number;
}

/** How long things take. */
export interface Timings {
  /** Reset to `ready`. */
  readonly boot: Span;
  /** From the reply to AT+RST to the reset itself. */
  readonly restart: Span;
  /** From the end of a command line to the reply of a command that only sets or tells something. */
  readonly command: Span;
  /** From the end of an AT+CIPSEND to its prompt. */
  readonly prompt: Span;
  /** From the last byte of the payload to the line that counts it. */
  readonly received: Span;
  /** From that line, or from when the stack has room, to `SEND OK`. */
  readonly sent: Span;
  /** Association with the access point. */
  readonly associate: Span;
  readonly dhcp: Span;
  readonly wrongPassword: Span;
  readonly accessPointNotFound: Span;
  /** Until the loss of the access point's beacons counts as the loss of the network. */
  readonly beaconLoss: Span;
  /** An AT+CIPSTART that nobody answers. */
  readonly connectTimeout: Span;
}

/** Everything in which one generation of AT firmware differs from another. */
export interface Personality {
  readonly name: string;
  readonly strings: Strings;
  readonly limits: Limits;
  readonly timings: Timings;
}

/** ESP-AT 5.0 on an ESP32-C3. Strings, states and limits as in Espressif's `libesp32c3_at_core` and its defaults. */
export const espAt5C3: Personality = {
  name: "esp-at-5-c3",
  strings: {
    ready: "\r\nready\r\n",
    ok: "\r\nOK\r\n",
    error: "\r\nERROR\r\n",
    joinError: "\r\nERROR\r\n",
    prompt: "\r\nOK\r\n\r\n>",
    sendOk: "\r\nSEND OK\r\n",
    sendFail: "\r\nSEND FAIL\r\n",
    sendCancelled: "\r\nSEND Canceled\r\n",
    busyProcessing: "\r\nbusy p...\r\n",
    forcedRestart: "\r\nWill force to restart!!!\r\n",
    version:
      "AT version:5.0.1.0(1f2e3d4 - ESP32C3 - Jul 24 2026 09:54:05)\r\n" +
      "SDK version:v5.4.2\r\n" +
      "compile time(8a7b6c5):Jul 24 2026 10:02:11\r\n" +
      "Bin version:v5.0.1.0(MINI-1)\r\n",
    received: (count) => `\r\nRecv ${count} bytes\r\n`,
    errorCode: (code) => `ERR CODE:0x${code.toString(16).padStart(8, "0")}\r\n`,
    joinFailed: (reason) => `+CWJAP:${reason}\r\n`,
    activeHead: (link, count, from) => `\r\n+IPD,${link}${count}${from}:`,
    activeTail: "\r\n",
    passiveNotice: (link, count) => `\r\n+IPD,${link}${count}\r\n`,
    passiveHead: (count, from) => `+CIPRECVDATA:${count}${from},`,
    peer: (ip, port) => `,"${ip}",${port}`,
  },
  limits: {
    line: 256,
    partialLine: 256,
    ssid: 32,
    password: 64,
    host: 64,
    links: 5,
    send: 8192,
    activePiece: 2920,
    receiveWindow: 5760,
    sendBuffer: 5760,
    leastBaud: 80,
    mostBaud: 5_000_000,
    defaultBaud: 115_200,
  },
  timings: {
    boot: [290, 320],
    restart: [20, 22],
    command: [1, 2],
    prompt: [4, 8],
    received: [3.5, 4.5],
    sent: [4, 8],
    associate: [800, 1700],
    dhcp: [400, 800],
    wrongPassword: [2_800, 3_200],
    accessPointNotFound: [3_800, 4_200],
    beaconLoss: [3_000, 6_000],
    connectTimeout: [9_500, 10_500],
  },
};
