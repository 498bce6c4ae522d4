import type { Lease } from "../air";
import { blankCertificates, type CertificateStore } from "./certificate-store";
import type { SslConf, TcpOptions, UartFrame } from "./settings";

/** What survives a reset and a loss of power. One object belongs to one module for ever. */
export interface Flash extends StoredSettings {
  /** What commands write as files: it outlives AT+RESTORE too. */
  readonly certificates: CertificateStore;
}

/** A network that was joined, with what AT+CWJAP was told about it. */
export interface KnownNetwork {
  readonly ssid: string;
  readonly password: string;
  /** The only access point that will do; empty: any. */
  readonly bssid: string;
  /** Beacon intervals between two of which the radio may sleep. */
  readonly listenInterval: number;
  /** As AT+CWJAP has them: security, scan and protected frames. */
  readonly security: number;
  readonly scanMode: number;
  readonly pmf: number;
}

/** What AT+CWJAP takes for what it is not told. */
export const anyNetwork = { bssid: "", listenInterval: 3, security: 0, scanMode: 0, pmf: 1 };

/** AT+CIPDNS: servers set by hand, in place of those that DHCP gives. */
export interface NameServers {
  readonly manual: boolean;
  readonly addresses: readonly string[];
}

/** AT+SAVETRANSLINK: what to enter transparent mode with at power-up. */
export interface TransparentLink {
  readonly kind: "TCP" | "SSL";
  readonly host: string;
  readonly port: number;
  readonly keepAlive: number;
}

/** What AT+RESTORE puts back. */
export interface StoredSettings {
  /** AT+CWMODE: 0 off, 1 station. */
  mode: number;
  /** The last network that was joined. */
  network: KnownNetwork | undefined;
  /** AT+CWAUTOCONN: whether to join that network at boot. */
  autoConnect: boolean;
  /** AT+CWRECONNCFG: seconds between attempts, and how many. */
  reconnect: { readonly interval: number; readonly limit: number };
  /** AT+CWDHCP */
  dhcp: boolean;
  /** AT+CIPSTA: the address to have without DHCP. */
  address: Lease | undefined;
  names: NameServers;
  /** AT+UART_DEF: rate after a reset, in bits per second; the rest is undefined until it is first set. */
  baud: number;
  frame: UartFrame | undefined;
  /** AT+SYSMSG */
  messages: number;
  /** AT+CIPSSLCCONF and AT+CIPTCPOPT, one a link; a link without was never given one. */
  readonly ssl: (SslConf | undefined)[];
  readonly tcp: (TcpOptions | undefined)[];
  /** AT+CIPRECONNINTV: pause before transparent mode connects again, in tenths of a second. */
  transparentPause: number;
  transparentLink: TransparentLink | undefined;
}

export function blankFlash(baud: number): Flash {
  return { ...blankSettings(baud), certificates: blankCertificates() };
}

/** As a module is sold, with `baud` for its rate. */
export function blankSettings(baud: number): StoredSettings {
  return {
    mode: 0,
    network: undefined,
    autoConnect: true,
    reconnect: { interval: 1, limit: 0 },
    dhcp: true,
    address: undefined,
    names: { manual: false, addresses: [] },
    baud,
    frame: undefined,
    messages: 0,
    ssl: [],
    tcp: [],
    transparentPause: 1,
    transparentLink: undefined,
  };
}
