import type { Flash } from "./flash";
import type { Limits } from "./personality";

/** What commands set and a reset puts back. */
export interface Settings {
  echo: boolean;
  /** AT+SYSLOG */
  showErrorCodes: boolean;
  /** AT+SYSMSG, bit 1: links are announced as `+LINK_CONN`. */
  messages: number;
  /** AT+SYSSTORE: whether what is set goes to flash. */
  store: boolean;
  /** AT+SLEEP */
  sleep: number;
  /** AT+CWMODE */
  mode: number;
  /** AT+CIPMUX */
  multiple: boolean;
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

export interface TcpOptions {
  /** Seconds, -1 for off. */
  linger: number;
  noDelay: number;
  /** ms a send may wait for room; 0 for ever. */
  sendTimeout: number;
  /** Seconds, 0 for off. */
  keepAlive: number;
}

export function defaultSettings(flash: Flash, limits: Limits): Settings {
  return {
    echo: true,
    showErrorCodes: false,
    messages: 0,
    store: true,
    sleep: 0,
    mode: flash.mode,
    multiple: false,
    showPeer: false,
    passive: Array.from({ length: limits.links }, () => false),
    tcp: Array.from({ length: limits.links }, () => ({ linger: -1, noDelay: 0, sendTimeout: 0, keepAlive: 0 })),
    ssl: Array.from({ length: limits.links }, (_, id) => ({
      conf: flash.ssl[id] ?? { mode: 0, pki: 0, ca: 0 },
      commonName: "",
      serverName: "",
      protocols: [],
      ciphers: [],
    })),
  };
}
