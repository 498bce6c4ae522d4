/**
 * What a board needs to speak TLS with its broker, besides a driver that can: handed to `boardOn` by an application, so
 * that it is not in the image of any other.
 *
 *     export default boardOn(createSecureEspAt, { name: "cold-room", … }, brokerTls);
 *
 * Whether it is used, the setting `mqtt.tls` says. If it is on, the broker's certificate is always checked; there is no
 * way back to plain.
 */
import type { Bytes, Storage } from "../../hal/hal";
import { type Security, type Trust } from "../wifi/module";
import { Pem } from "./certificate";
import { type BoardTls } from "./spec";
import { createStoredPem } from "./stored-pem";

export const brokerTls: BoardTls = { create: createSecurity, problem: problemOf, reason: reasonOf };

/** @boot */
function createSecurity(this: void, storage: Storage, record: Bytes, timeServer: string): Security {
  return {
    authority: createStoredPem(storage, record, Pem.Authority),
    certificate: createStoredPem(storage, record, Pem.Certificate),
    key: createStoredPem(storage, record, Pem.Key),
    timeServer,
  };
}

/** @boot */
function problemOf(this: void, { authority, certificate, key }: Security): string {
  if (authority.length() === 0) return "setting ca: mqtt.tls is on, so give the certificate of the broker's authority";
  if (certificate.length() > 0 && key.length() === 0) return "setting key: give the key of the certificate, or set cert=";
  if (certificate.length() === 0 && key.length() > 0) return "setting cert: give the certificate of the key, or set key=";
  return "";
}

/** By {@link Trust}; empty for what is no failure. */
const REASONS: readonly string[] = [
  "",
  "",
  "",
  "no time yet to check its certificate by",
  "no CA certificate",
  "the Wi-Fi module has not kept the certificates",
  "its certificate is not signed by the CA",
  "its certificate is for another host",
  "its certificate has expired",
  "its certificate is not valid yet",
  "it refused the certificate of this board, or wants one",
  "the Wi-Fi module cannot check certificates",
  "no TLS with it, and the Wi-Fi module does not say why",
];

function reasonOf(this: void, trust: Trust): string {
  return REASONS[trust] ?? "";
}
