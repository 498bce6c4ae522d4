/**
 * The files for TLS: the certificates of authorities that the broker's is checked against, and the board's own certificate
 * and key. Whatever is wrong with one is a {@link Failure} that says what to do.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { Failure, reasonOf } from "../failure";

/** What their settings, and the flags, are called, in the order in which a board has them. */
export const PEM_KEYS = ["ca", "cert", "key"] as const;
export type PemKey = (typeof PEM_KEYS)[number];

/** Texts in PEM, by what they are. What is not there is not wanted. */
export type Pems = ReadonlyMap<PemKey, string>;

/** The most that a board keeps, in bytes. */
const ROOM: Record<PemKey, number> = { ca: 4096, cert: 2048, key: 2048 };

/** As flags give them. */
export interface PemFlags {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function isPemKey(key: string): key is PemKey {
  return PEM_KEYS.some((known) => known === key);
}

/** Reads the files that the flags name, each for itself. */
export function readPemFlags(flags: PemFlags): Pems {
  const pems = new Map<PemKey, string>();
  for (const key of PEM_KEYS) {
    const path = flags[key];
    if (path !== undefined) pems.set(key, readPem(key, path));
  }
  return pems;
}

/** What a board needs of them for its broker: none without TLS, and all that TLS cannot do without. */
export function pemsFor(tls: boolean, pems: Pems): Pems {
  const [first] = pems.keys();
  if (!tls && first !== undefined) throw new Failure(`--${first} is for TLS: write the broker as mqtts://host`);
  if (tls && !pems.has("ca")) {
    throw new Failure("mqtts checks the broker's certificate: give the one of its authority with --ca FILE");
  }
  checkIdentity(pems);
  return pems;
}

/** What is to be kept of a file: certificates, or the key, without what stands around them. */
export function readPem(key: PemKey, path: string): string {
  const text = readText(path, WHAT[key]);
  const pem = key === "key" ? privateKeyIn(path, text) : certificatesIn(path, text);
  if (pem.length <= ROOM[key]) return pem;
  throw new Failure(`${path}: ${pem.length} bytes, a board keeps ${ROOM[key]} of a ${key}: ${SHORTER[key]}`);
}

/** What its owner should know of a file with a secret in it, as a sentence; undefined when all is well. */
export function openToAll(path: string): string | undefined {
  // Windows keeps no such bits.
  if (process.platform === "win32" || (statSync(path).mode & 0o044) === 0) return undefined;
  return `${path} can be read by others on this machine: run chmod 600 ${path}`;
}

/** Certificate and key belong together, and a board needs both or none. `has`: whether it has what is not given. */
export function checkIdentity(pems: Pems, has: (key: PemKey) => boolean = () => false): void {
  const cert = pems.get("cert");
  const key = pems.get("key");
  if (cert === undefined && key !== undefined && !has("cert")) {
    throw new Failure("a key without its cert is of no use: give cert=FILE, or --cert FILE, too");
  }
  if (key === undefined && cert !== undefined && !has("key")) {
    throw new Failure("a cert without its key is of no use: give key=FILE, or --key FILE, too");
  }
  if (cert === undefined || key === undefined) return;
  if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  throw new Failure("the key is not that of the certificate: give the two files that belong together");
}

const WHAT: Record<PemKey, string> = { ca: "the CA file", cert: "the certificate file", key: "the key file" };
const SHORTER: Record<PemKey, string> = {
  ca: "leave out the authorities that are not the broker's",
  cert: "leave out what is above it, or take one of EC P-256",
  key: "take one of EC P-256, or RSA of 2048 bits",
};

function certificatesIn(path: string, text: string): string {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found === null) throw notPem(path, text, "certificate", "openssl x509 -inform der");
  for (const certificate of found) {
    try {
      new X509Certificate(certificate);
    } catch {
      throw new Failure(`${path}: a certificate in it is damaged: get it anew`);
    }
  }
  return `${found.map((certificate) => certificate.replace(/\r\n/g, "\n")).join("\n")}\n`;
}

function privateKeyIn(path: string, text: string): string {
  const found = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[^]+?-----END \1-----/.exec(text)?.[0];
  if (text.includes("ENCRYPTED")) {
    throw new Failure(`${path}: the key is encrypted, and a board cannot ask for its password: openssl pkey -in ${path} writes it without`);
  }
  if (found === undefined) throw notPem(path, text, "private key", "openssl pkey -inform der");
  try {
    createPrivateKey(found);
  } catch {
    throw new Failure(`${path}: the key in it is damaged: get it anew`);
  }
  return `${found.replace(/\r\n/g, "\n")}\n`;
}

/** DER begins with the tag of a sequence, and is no text. */
function notPem(path: string, text: string, what: string, command: string): Failure {
  if (!text.startsWith("0") || !text.includes("\u0000")) return new Failure(`${path}: no ${what} in it: give a file in PEM format`);
  return new Failure(`${path}: is DER, a board takes PEM: ${command} -in ${path} -out ${path}.pem converts it`);
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    throw new Failure(`cannot read ${what} ${path}: ${reasonOf(error)}`);
  }
}
