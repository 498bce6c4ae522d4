import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { isIP, type Socket as NodeSocket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { CertificateFacts, TlsRequest } from "./certificates";

/** Longest way from a server's certificate up to an authority. */
const LONGEST_CHAIN = 8;

/** The cipher suites by their IANA numbers, in OpenSSL's names. */
const CIPHERS: Record<number, string> = {
  0x002f: "AES128-SHA",
  0x0035: "AES256-SHA",
  0x003c: "AES128-SHA256",
  0x003d: "AES256-SHA256",
  0x009c: "AES128-GCM-SHA256",
  0x009d: "AES256-GCM-SHA384",
  0xc009: "ECDHE-ECDSA-AES128-SHA",
  0xc00a: "ECDHE-ECDSA-AES256-SHA",
  0xc013: "ECDHE-RSA-AES128-SHA",
  0xc014: "ECDHE-RSA-AES256-SHA",
  0xc023: "ECDHE-ECDSA-AES128-SHA256",
  0xc024: "ECDHE-ECDSA-AES256-SHA384",
  0xc027: "ECDHE-RSA-AES128-SHA256",
  0xc028: "ECDHE-RSA-AES256-SHA384",
  0xc02b: "ECDHE-ECDSA-AES128-GCM-SHA256",
  0xc02c: "ECDHE-ECDSA-AES256-GCM-SHA384",
  0xc02f: "ECDHE-RSA-AES128-GCM-SHA256",
  0xc030: "ECDHE-RSA-AES256-GCM-SHA384",
  0xc0ac: "ECDHE-ECDSA-AES128-CCM",
  0xc0ad: "ECDHE-ECDSA-AES256-CCM",
};

/** The IANA numbers of the cipher suites that can be offered. */
export const KNOWN_CIPHERS: readonly number[] = Object.keys(CIPHERS).map(Number);

/**
 * Begins TLS 1.2, which is what the modules speak, on a connection. Node verifies nothing: it would use this machine's
 * clock and authorities. See {@link certificateFacts}. Undefined if what the client is to show of itself cannot be read.
 */
export function startTls(bare: NodeSocket, request: TlsRequest): TLSSocket | undefined {
  const { name, protocols } = request;
  const ciphers = request.ciphers.map((number) => CIPHERS[number]).filter((cipher) => cipher !== undefined);
  const identity = readIdentity(request.identity);
  if (identity === undefined) {
    return undefined;
  }
  return connect({
    socket: bare,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    servername: name === undefined || isIP(name) !== 0 ? "" : name,
    ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
    ...(ciphers.length === 0 ? {} : { ciphers: ciphers.join(":") }),
    ...identity,
  });
}

/** In the form that Node takes; empty for a client that shows nothing, undefined if it cannot be read. */
function readIdentity(identity: TlsRequest["identity"]): { cert?: string; key?: string } | undefined {
  if (identity === undefined) {
    return {};
  }
  try {
    const certificate = new X509Certificate(identity.certificate);
    const key = readKey(identity.key);
    return certificate.checkPrivateKey(key)
      ? { cert: certificate.toString(), key: key.export({ format: "pem", type: "pkcs8" }).toString() }
      : undefined;
  } catch {
    return undefined;
  }
}

function readKey(file: Uint8Array): KeyObject {
  const key = Buffer.from(file);
  return key.includes("-----BEGIN") ? createPrivateKey(key) : createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** What a client that believes the authorities in `authority` needs to know of the certificate that it was shown. */
export function certificateFacts(socket: TLSSocket, authority: Uint8Array): CertificateFacts {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) {
    return { trusted: false, from: -Infinity, until: Infinity, hasName: () => false };
  }
  const believed = certificatesIn(authority);
  const chain = [leaf];
  let trusted = believed.some((one) => one.raw.equals(leaf.raw));
  for (let at = leaf; !trusted && chain.length < LONGEST_CHAIN;) {
    const root = believed.find((one) => vouchesFor(one, at));
    const next = root ?? at.issuerCertificate;
    if (next === undefined || !vouchesFor(next, at)) {
      break;
    }
    chain.push(next);
    trusted = root !== undefined;
    at = next;
  }
  return {
    trusted,
    from: Math.max(...chain.map((one) => Date.parse(one.validFrom))),
    until: Math.min(...chain.map((one) => Date.parse(one.validTo))),
    hasName: (name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) !== undefined,
  };
}

function vouchesFor(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** Reads one certificate in DER, or several in PEM. What is none counts as nothing. */
function certificatesIn(file: Uint8Array): X509Certificate[] {
  const text = Buffer.from(file).toString("latin1");
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const sources: readonly (string | Uint8Array)[] = blocks.length > 0 ? blocks : [file];
  return sources.flatMap((source) => {
    try {
      return [new X509Certificate(source)];
    } catch {
      return [];
    }
  });
}
