import type { FlowControl } from "../line";
import type { Flash, NameServers } from "./flash";
import type { Personality } from "./personality";

/** What commands set and a reset puts back. */
export interface Settings {
  echo: boolean;
  /** AT+SYSLOG */
  showErrorCodes: boolean;
  /** AT+SYSMSG: bits of {@link Messages}. */
  messages: number;
  /** AT+SYSSTORE: whether what is set goes to flash. */
  store: boolean;
  /** AT+SLEEP */
  sleep: number;
  /** AT+UART_CUR, but for the rate, which is the line's. */
  frame: UartFrame;
  /** AT+CWMODE */
  mode: number;
  /** AT+CIPDNS */
  names: NameServers;
  /** AT+CIPMUX */
  multiple: boolean;
  /** AT+CIPMODE: there is one link, and what comes on it is printed as it is. */
  transparent: boolean;
  /** AT+TRANSINTVL: pause of the host in ms after which what it wrote is sent, in transparent mode and AT+CIPSENDL. */
  flushInterval: number;
  /** AT+CIPSENDLCFG: bytes between two reports, and bytes that are handed to the stack at a time. */
  longSend: { readonly report: number; readonly transmit: number };
  /** AT+CIPCONNPERSIST, one a link: whether it outlives a loss of the network. */
  readonly persistent: boolean[];
  /** AT+CIPDINFO: whether data is announced with the address it came from. */
  showPeer: boolean;
  /** AT+CIPRECVTYPE, one a link. */
  readonly passive: boolean[];
  /** AT+CIPTCPOPT, one a link. */
  readonly tcp: TcpOptions[];
  /** What the AT+CIPSSLC… commands set, one a link. */
  readonly ssl: SslOptions[];
}

/** AT+CIPSSLCCONF */
export interface SslConf {
  /** Bit 0: the client shows its certificate; bit 1: the server's is verified. */
  readonly mode: number;
  /** Which certificate and key, and which authority. */
  readonly pki: number;
  readonly ca: number;
}

export interface SslOptions {
  conf: SslConf;
  /** AT+CIPSSLCCN; empty: none. */
  commonName: string;
  /** AT+CIPSSLCSNI; empty: none. */
  serverName: string;
  /** AT+CIPSSLCALPN */
  protocols: readonly string[];
  /** AT+CIPSSLCCIPHER, by IANA numbers; empty: all. */
  ciphers: readonly number[];
}

export const enum Messages {
  /** Leaving transparent mode is told. */
  Quit = 1,
  /** Links are announced as `+LINK_CONN`. */
  Details = 2,
  /** Links and Wi-Fi are told of in transparent mode too. */
  InTransparent = 4,
}

/** The numbers of AT+UART. */
export interface UartFrame {
  readonly dataBits: number;
  readonly stopBits: number;
  readonly parity: number;
  readonly flow: number;
}

/** The flow control that AT+UART numbers: 1 RTS, 2 CTS, 3 both. */
export function flowControl(flow: number): FlowControl {
  return { rts: (flow & 1) !== 0, cts: (flow & 2) !== 0 };
}

export interface TcpOptions {
  /** Seconds, -1 for off. */
  linger: number;
  noDelay: number;
  /** ms a send may wait for room; 0 for ever. */
  sendTimeout: number;
  /** Seconds, 0 for off. */
  keepAlive: number;
}

export function defaultSettings(flash: Flash, { limits, habits }: Personality): Settings {
  const tcp = { linger: -1, noDelay: 0, sendTimeout: 0, keepAlive: 0 };
  return {
    echo: true,
    showErrorCodes: false,
    messages: flash.messages,
    store: true,
    sleep: habits.sleepAtBoot,
    frame: flash.frame ?? { dataBits: 8, stopBits: 1, parity: 0, flow: habits.defaultFlow },
    mode: flash.mode,
    names: flash.names,
    multiple: false,
    transparent: false,
    flushInterval: 20,
    longSend: { report: 1024, transmit: 2920 },
    persistent: Array.from({ length: limits.links }, () => false),
    showPeer: false,
    passive: Array.from({ length: limits.links }, () => false),
    tcp: Array.from({ length: limits.links }, (_, id) => ({ ...(flash.tcp[id] ?? tcp) })),
    ssl: Array.from({ length: limits.links }, (_, id) => ({
      conf: flash.ssl[id] ?? { mode: 0, pki: 0, ca: 0 },
      commonName: "",
      serverName: "",
      protocols: [],
      ciphers: [],
    })),
  };
}
