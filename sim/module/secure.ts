import { isIP } from "node:net";
import type { TlsRequest } from "../network/certificates";
import { ConnectFailure } from "../network/network";
import { clientFile, type ClientFile } from "./certificate-store";
import type { Firmware } from "./firmware";
import type { SslConf, SslOptions } from "./settings";

/** Numbers that `+ERRNO` shows for a connection that did not come about. */
const enum Errno {
  /** lwIP: the peer has answered a SYN with a reset. */
  ConnectionReset = 104,
  /** lwIP: nobody has answered. */
  ConnectionAborted = 103,
  /** ESP-TLS: the certificates that AT+CIPSSLCCONF wants are not there. */
  NoCertificates = 0x4301,
  /** mbedTLS: the server has ended the handshake with an alert. */
  FatalAlert = 0x7780,
  /** ESP-TLS */
  CannotResolve = 0x8001,
  FailedToConnect = 0x8004,
}

/** What an AT+CIPSTART with SSL asks of the network, or the number of what is missing for it. */
export function tlsRequest(firmware: Firmware, options: SslOptions, host: string): TlsRequest | number {
  const { personality: { habits: { tls } }, realTime } = firmware;
  const { mode, pki, ca } = options.conf;
  const certificate = (mode & 1) === 0 ? undefined : file(firmware, "client_cert", pki);
  const key = (mode & 1) === 0 ? undefined : file(firmware, "client_key", pki);
  const authority = (mode & 2) === 0 ? undefined : file(firmware, "client_ca", ca);
  const showsItself = certificate !== undefined && key !== undefined;
  if (((mode & 1) !== 0 && !showsItself) || ((mode & 2) !== 0 && authority === undefined)) {
    return Errno.NoCertificates;
  }
  return {
    name: nameToVerify(tls.verifiesName, options, host),
    authority,
    identity: showsItself ? { certificate, key } : undefined,
    protocols: options.protocols,
    ciphers: options.ciphers,
    time: tls.verifiesTime ? realTime.time : undefined,
  };
}

function nameToVerify(habit: "host" | "named" | "never", options: SslOptions, host: string): string | undefined {
  if (habit === "never") {
    return undefined;
  }
  const given = options.serverName === "" ? options.commonName : options.serverName;
  if (given !== "") {
    return given;
  }
  return habit === "host" && isIP(host) === 0 ? host : undefined;
}

/** What AT+CIPSSLCCONF says at once about files that it names and that are not there. */
export function missingFiles(firmware: Firmware, { mode, pki, ca }: SslConf): string[] {
  const lines: string[] = [];
  if (!firmware.personality.habits.tls.tellsMissing) {
    return lines;
  }
  if ((mode & 1) !== 0) {
    if (file(firmware, "client_cert", pki) === undefined) {
      lines.push("NO CERT FOUND\r\n");
    } else if (file(firmware, "client_key", pki) === undefined) {
      lines.push("NO PRVT_KEY FOUND\r\n");
    }
  }
  if ((mode & 2) !== 0 && file(firmware, "client_ca", ca) === undefined) {
    lines.push("NO CA FOUND\r\n");
  }
  return lines;
}

function file({ flash, personality }: Firmware, name: ClientFile, index: number): Uint8Array | undefined {
  return clientFile(flash.certificates, personality.habits.tls.store, name, index);
}

/** The number that `+ERRNO` shows for a failure; undefined where it is not known. */
export function errnoOf(secure: boolean, failure: ConnectFailure, flaws: number): number | undefined {
  switch (failure) {
    case ConnectFailure.Certificate:
      return flaws;
    case ConnectFailure.Handshake:
      return Errno.FatalAlert;
    case ConnectFailure.Refused:
      return secure ? Errno.FailedToConnect : Errno.ConnectionReset;
    case ConnectFailure.UnknownHost:
      return secure ? Errno.CannotResolve : undefined;
    case ConnectFailure.Unreachable:
      return secure ? Errno.FailedToConnect : Errno.ConnectionAborted;
  }
}
