/** What a TLS client asks of a connection, and what it makes of the certificate that it is shown. */

/** How to speak TLS on a connection. Certificates and keys are PEM or DER. */
export interface TlsRequest {
  /** Sent as SNI, and must stand in the server's certificate. Undefined: nothing is sent and any name will do. */
  readonly name: string | undefined;
  /** Authorities to believe. Undefined: the server's certificate is not looked at. */
  readonly authority: Uint8Array | undefined;
  /** What the client shows when it is asked who it is. */
  readonly identity: { readonly certificate: Uint8Array; readonly key: Uint8Array } | undefined;
  /** Protocols to offer, best first. Empty: none. */
  readonly protocols: readonly string[];
  /** IANA numbers of the cipher suites to offer. Empty: the usual ones. */
  readonly ciphers: readonly number[];
  /** The client's idea of the time, ms since 1970. Undefined: it does not look at validity. */
  readonly time: number | undefined;
}

/** What can be wrong with a certificate, in the bits that mbedTLS reports. */
export const enum CertificateFlaw {
  None = 0,
  Expired = 0x01,
  WrongName = 0x04,
  NotTrusted = 0x08,
  NotYetValid = 0x200,
}

/** What a judgement needs to know of a certificate. Times in ms since 1970. */
export interface CertificateFacts {
  readonly trusted: boolean;
  /** From when to when it and all the certificates that vouch for it are good. */
  readonly from: number;
  readonly until: number;
  hasName(name: string): boolean;
}

/** All that is wrong with a certificate, as bits of {@link CertificateFlaw}. Nothing, if it is not to be looked at. */
export function flawsOf(facts: CertificateFacts, request: TlsRequest): number {
  if (request.authority === undefined) {
    return CertificateFlaw.None;
  }
  const { name, time } = request;
  return (facts.trusted ? 0 : CertificateFlaw.NotTrusted)
    | (name === undefined || facts.hasName(name) ? 0 : CertificateFlaw.WrongName)
    | (time === undefined || time <= facts.until ? 0 : CertificateFlaw.Expired)
    | (time === undefined || time >= facts.from ? 0 : CertificateFlaw.NotYetValid);
}

/** What is wrong, for people; the gravest first. */
export function describeFlaws(flaws: number): string {
  const parts = [
    (flaws & CertificateFlaw.NotTrusted) === 0 ? "" : "not signed by the authority that is trusted",
    (flaws & CertificateFlaw.WrongName) === 0 ? "" : "for another name",
    (flaws & CertificateFlaw.Expired) === 0 ? "" : "expired",
    (flaws & CertificateFlaw.NotYetValid) === 0 ? "" : "not yet valid",
  ];
  return `the server's certificate is ${parts.filter((part) => part !== "").join(", ")}`;
}

/** Whether a name in a certificate, which may begin with `*.` for one label, covers a host name. RFC 6125, 6.4. */
export function nameCovers(pattern: string, host: string): boolean {
  const wanted = host.toLowerCase();
  const offered = pattern.toLowerCase();
  if (!offered.startsWith("*.")) {
    return offered === wanted;
  }
  const dot = wanted.indexOf(".");
  return dot > 0 && wanted.slice(dot) === offered.slice(1);
}
