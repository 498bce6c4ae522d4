import type { StoreKind } from "./certificate-store";
import type { ResetCause } from "./observer";

/** A span of time in ms from which each delay is drawn, least and most. */
export type Span = readonly [number, number];

/** What a module of one firmware generation prints. Every entry goes onto the wire in one piece unless noted. */
export interface Strings {
  readonly ready: string;
  readonly ok: string;
  readonly error: string;
  /** Ends a join that failed, after the line that says why. */
  readonly joinError: string;
  /** Asks for the payload. Each piece is a write of its own: unsolicited messages get between them. */
  readonly prompt: readonly string[];
  readonly sendOk: string;
  readonly sendFail: string;
  /** Answers a `+++` that ends a payload early; empty where nothing ends it. */
  readonly sendCancelled: string;
  /** The same for AT+CIPSENDL. */
  readonly longSendCancelled: string;
  readonly busyProcessing: string;
  /** Empty where nothing is said while a payload is being sent. */
  readonly busySending: string;
  readonly forcedRestart: string;
  /** Answers AT+GMR, before OK. */
  readonly version: string;
  /** Transparent mode has been left, where AT+SYSMSG asks for it. */
  readonly quit: string;
  /** The clock has been set by SNTP; empty where nothing tells of it. */
  readonly timeUpdated: string;
  received(count: number): string;
  /** Empty where there are no such lines. */
  errorCode(code: number): string;
  /** Why a connection did not come about, before ERROR, with AT+SYSLOG=1. Empty where there are no such lines. */
  errno(code: number): string;
  joinFailed(reason: number): string;
  /** Answers AT+CWJAP? in a network. `name` is the command's, with its +. */
  network(name: string, facts: NetworkFacts): string;
  /** Answers AT+CWJAP? outside of any network, before OK. */
  readonly noNetwork: string;
  /** Goes before the data of a link in active receive mode; {@link activeTail} goes after it. */
  activeHead(link: string, count: number, from: string): string;
  readonly activeTail: string;
  /** Tells that data waits in passive receive mode. */
  passiveNotice(link: string, count: number): string;
  /** Goes before data that was asked for in passive receive mode. */
  passiveHead(count: number, from: string): string;
  /** What AT+CIPRECVLEN? tells of a link that is not open. */
  readonly closedLength: string;
  /** The address that data came from, as AT+CIPDINFO=1 has it shown. */
  peer(ip: string, port: number): string;
  /** Answers AT+CIPDINFO?, without its line end. */
  showPeer(on: boolean): string;
  /** Answers AT+CIPDOMAIN, without its line end. */
  domain(ip: string): string;
  /** Answers AT+PING, without its line end. */
  ping(ms: number): string;
  readonly pingTimeout: string;
  /** Answers AT+CIPDNS?. `name` is the command's, with its +. */
  nameServers(name: string, manual: boolean, addresses: readonly string[]): string;
  /** One network that AT+CWLAP found, without its line end. */
  scanned(facts: ScanFacts): string;
}

/** What a scan finds out about a network. */
export interface ScanFacts {
  /** 0 open, 3 WPA2. */
  readonly encryption: number;
  readonly ssid: string;
  readonly bssid: string;
  readonly channel: number;
  readonly rssi: number;
}

/** What AT+CWJAP? tells. */
export interface NetworkFacts {
  readonly ssid: string;
  readonly bssid: string;
  readonly channel: number;
  readonly rssi: number;
  /** Seconds. */
  readonly reconnectInterval: number;
  /** As AT+CWJAP was told. */
  readonly security: number;
  readonly listenInterval: number;
  readonly scanMode: number;
  readonly pmf: number;
}

/**
 * What is said to people, on the line above ERROR. Where log and commands share a UART, the host reads it; elsewhere
 * it goes to a UART of its own, and the personality has none of it.
 */
export interface Remarks {
  readonly alreadyConnected?: string;
  readonly linkNotValid?: string;
  readonly noIp?: string;
  readonly dnsFail?: string;
  readonly unlink?: string;
  readonly linkTypeError?: string;
  readonly idError?: string;
  readonly ipError?: string;
  readonly entryError?: string;
  readonly missingParameter?: string;
  readonly tooLong?: string;
  /** The command is for several links, and AT+CIPMUX=0 holds. */
  readonly single?: string;
  /** The command is for one link, and AT+CIPMUX=1 holds. */
  readonly multiple?: string;
  /** AT+CIPMODE=1 is in the way. */
  readonly transparent?: string;
  readonly linkIsBuilt?: string;
  readonly serverIsOn?: string;
  /** Bytes from the host found no room. */
  readonly overflow?: string;
}

export type Remark = keyof Remarks;

/** Sizes and ranges, in bytes unless noted. */
export interface Limits {
  /** Command line including CR LF. */
  readonly line: number;
  /** Whether the names of commands are understood in capitals only. */
  readonly capitals: boolean;
  /** Bytes without a line end that are kept before all are dropped. */
  readonly partialLine: number;
  readonly ssid: number;
  readonly password: number;
  readonly host: number;
  /** Number of links. */
  readonly links: number;
  /** Most that one AT+CIPSEND takes. */
  readonly send: number;
  /** Most data in one unsolicited piece. */
  readonly activePiece: number;
  /** Most that transparent mode sends in one piece. */
  readonly transparentPacket: number;
  /** What a link receives before its peer is stopped. */
  readonly receiveWindow: number;
  /** What a link takes for sending before the sender waits. */
  readonly sendBuffer: number;
  /** Longest time in ms that AT+CIPSTART can be given; 0 where it cannot. */
  readonly startTimeout: number;
  /** Bits per second. */
  readonly leastBaud: number;
  readonly mostBaud: number;
  readonly defaultBaud: number;
  /** The UART driver's rings, besides the hardware's FIFO of 128. */
  readonly receiveRing: number;
  readonly transmitRing: number;
  /** Bytes in the FIFO at which they are handed on, or after so much silence in byte times. */
  readonly fifoThreshold: number;
  readonly idleSymbols: number;
}

/** How long things take. */
export interface Timings {
  /** Reset to `ready`. */
  readonly boot: Span;
  /** Reset to when the UART driver is there: what came before is lost, what comes then is handled after `ready`. */
  readonly uartReady: Span;
  /** From the reply to AT+RST to the reset itself. */
  readonly restart: Span;
  /** How long deep sleep takes of what was asked for, by a clock without a crystal (chosen): 1 is exactly that. */
  readonly sleepClock: Span;
  /** From the end of a command line to the reply of a command that only sets or tells something. */
  readonly command: Span;
  /** From the end of an AT+CIPSEND to its prompt. */
  readonly prompt: Span;
  /** Between two writes that belong together, where other tasks can get between them. */
  readonly betweenWrites: Span;
  /** From the last byte of the payload to the line that counts it. */
  readonly received: Span;
  /** From that line, or from when the stack has room or the peer has acknowledged, to `SEND OK`. */
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
  /** What the chip computes for a TLS handshake. */
  readonly handshake: Span;
  /** From the end of the `+++` that leaves transparent mode until commands are heard again. */
  readonly quit: Span;
  /** An AT+CWLAP on all channels. */
  readonly scan: Span;
  /** An AT+PING that nobody answers. */
  readonly pingTimeout: Span;
}

export const enum SleepMode {
  Off,
  Modem,
  Light,
  /** Modem sleep that wakes at the listen interval instead of every DTIM. */
  ModemListen,
}

/** What a module puts onto the line while it boots, before `ready`. */
export interface BootOutput {
  /** At which rate the ROM talks; 0 for the rate that the UART had. */
  baud(cause: ResetCause): number;
  /** What the ROM and the second boot loader say on the host's line; empty where they have a UART of their own. */
  text(cause: ResetCause): string;
  /** Least and most bytes of noise at the reset, while nobody drives the pin. */
  noise(cause: ResetCause): readonly [number, number];
  /** Least and most bytes of noise when the UART driver takes the pins over. */
  readonly takeOver: readonly [number, number];
}

/** How a generation does TLS. */
export interface TlsHabits {
  /** Whether AT+CIPSSLCCONF and its relatives set something of one link, or of all there is. */
  readonly perLink: boolean;
  /** Number of links that may use it at a time: what the memory is enough for. */
  readonly links: number;
  readonly store: StoreKind;
  /** Whether AT+CIPSSLCCONF says at once which file is missing. */
  readonly tellsMissing: boolean;
  /**
   * Which name a server's certificate must carry, and is sent as SNI: what AT+CIPSSLCSNI says, else what AT+CIPSSLCCN
   * says, else ("host") the host of AT+CIPSTART unless that is an address, or ("named") any. "never": always any.
   */
  readonly verifiesName: "host" | "named" | "never";
  /** Whether data can be received passively. */
  readonly passive: boolean;
  /** Whether a certificate must be in its time by the module's clock. */
  readonly verifiesTime: boolean;
}

/** What else one generation does otherwise than another. */
export interface Habits {
  /** Which receive task: ESP-AT's, which takes chunks, or that of NonOS AT, which takes single bytes. */
  readonly receiver: "chunks" | "bytes";
  /** Whether a reply is one write, or goes out in pieces that messages of other tasks get between. */
  readonly replies: "whole" | "pieces";
  /**
   * What waits while there is no room for what is to be printed: the whole firmware, or only the task that prints. Who
   * waits does not read what the host writes.
   */
  readonly printingBlocks: "everything" | "its task";
  /** Whether one task serves all sockets: while it connects one or waits to send, it tells nothing of the others. */
  readonly oneSocketTask: boolean;
  /** What SEND OK stands for: the stack has a copy, or the peer has acknowledged every byte. */
  readonly sendOk: "copied" | "acknowledged";
  /**
   * Chance from 0 to 1 that what one task says is overtaken by what another one says after it: `WIFI DISCONNECT` by the
   * `CLOSED` of the links, or by the OK of AT+CWQAP.
   */
  readonly overtaking: number;
  /** Whether `CLOSED` waits until a passive link has been read to its end. */
  readonly withholdsClosed: boolean;
  /** Chance from 0 to 1 that a link which the network's loss has ended is told to be CLOSED. */
  readonly tellsClosedAtLoss: number;
  /** Chance from 0 to 1 that an AT+CIPSTART that failed says CLOSED besides ERROR, and on which side of it. */
  readonly closedAtFailedStart: { readonly side: "before" | "after"; readonly chance: number };
  /** What the numbers of AT+SLEEP stand for, from 0. */
  readonly sleepModes: readonly SleepMode[];
  /** The number that it has after a reset. */
  readonly sleepAtBoot: number;
  /** AT+UART: 0 none, 1 RTS, 2 CTS, 3 both, in a module as it is sold. */
  readonly defaultFlow: number;
  /** Whether AT+UART_DEF? tells zeros until it was first set. */
  readonly forgetsUartDefault: boolean;
  /**
   * AT+CWDHCP: ESP-AT takes whether to have it, then bits for station (1) and access point (2); NonOS AT takes 0 for
   * the access point, 1 for the station and 2 for both, then whether to have it, and tells the bits the other way round.
   */
  readonly dhcp: "bits" | "which";
  /** Hours east of Greenwich that AT+CIPSNTPCFG takes, least and most; hours and minutes as one number, too, or not. */
  readonly timeZone: { readonly least: number; readonly most: number; readonly minutes: boolean };
  /** The rate that AT+UART_CUR? tells of one that was set: the divider's. */
  tellsBaud(baud: number): number;
  readonly tls: TlsHabits;
  /** Whether the clock goes on over a reset that does not take the power away. */
  readonly keepsTime: boolean;
  /** Free heap now and at the least, as AT+SYSRAM? tells; without the second where it is not told. */
  readonly heap: readonly number[];
  readonly boot: BootOutput;
}

/** Everything in which one generation of AT firmware differs from another. */
export interface Personality {
  readonly name: string;
  readonly chip: "ESP8266" | "ESP32-C3";
  readonly strings: Strings;
  readonly remarks: Remarks;
  readonly limits: Limits;
  readonly timings: Timings;
  readonly habits: Habits;
  /**
   * Its commands by the name that follows `AT`. A name ending in `_CUR` or `_DEF` is the command without that ending,
   * which keeps what it sets out of flash or puts it there.
   */
  readonly commands: readonly string[];
}
