import { blankCertificates, type CertificateStore } from "./certificate-store";
import type { SslConf } from "./settings";

/** What survives a reset and a loss of power. One object belongs to one module for ever. */
export interface Flash extends StoredSettings {
  /** What commands write as files: it outlives AT+RESTORE too. */
  readonly certificates: CertificateStore;
}

/** What AT+RESTORE puts back. */
export interface StoredSettings {
  /** AT+CWMODE: 0 off, 1 station. */
  mode: number;
  /** The last network that was joined. */
  network: { readonly ssid: string; readonly password: string } | undefined;
  /** AT+CWAUTOCONN: whether to join that network at boot. */
  autoConnect: boolean;
  /** AT+UART_DEF: rate after a reset, in bits per second. */
  baud: number;
  /** AT+CIPSSLCCONF, one a link; a link without was never given one. */
  readonly ssl: (SslConf | undefined)[];
}

export function blankFlash(baud: number): Flash {
  return { ...blankSettings(baud), certificates: blankCertificates() };
}

/** As a module is sold, with `baud` for its rate. */
export function blankSettings(baud: number): StoredSettings {
  return { mode: 0, network: undefined, autoConnect: true, baud, ssl: [] };
}
