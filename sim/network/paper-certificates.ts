import { nameCovers, type CertificateFacts } from "./certificates";

/**
 * Certificates for the network in memory: they look like PEM, and what stands in them is taken at its word. With them
 * the rules of verification can be tried on the virtual clock, without any cryptography.
 */

/** What a server in memory shows, and asks for. Times in ms since 1970. */
export interface PaperServer {
  /** Name of the authority that signed its certificate, see {@link paperAuthority}. */
  readonly authority: string;
  /** The host names that it is for; `*.` at the beginning covers one label. */
  readonly names: readonly string[];
  /** When it is good. Default: always. */
  readonly from?: number;
  readonly until?: number;
  /** Name of the authority whose clients are let in. Default: all are, and none is asked for a certificate. */
  readonly clients?: string;
}

/** The certificate of an authority, as the client that believes it is given it. */
export function paperAuthority(name: string): Uint8Array {
  return pem("CERTIFICATE", `authority ${name}`);
}

/** What a client that an authority has signed shows. */
export function paperIdentity(subject: string, authority: string): { certificate: Uint8Array; key: Uint8Array } {
  return {
    certificate: pem("CERTIFICATE", `client ${subject} by ${authority}`),
    key: pem("PRIVATE KEY", `key of ${subject}`),
  };
}

/** How a server's certificate looks to a client that believes the authorities in a file. */
export function paperFacts(server: PaperServer, believed: Uint8Array): CertificateFacts {
  return {
    trusted: Buffer.from(believed).includes(Buffer.from(paperAuthority(server.authority))),
    from: server.from ?? -Infinity,
    until: server.until ?? Infinity,
    hasName: (name) => server.names.some((pattern) => nameCovers(pattern, name)),
  };
}

/** Whether a server that only knows the clients of one authority lets this one in. */
export function paperClientKnown(identity: { certificate: Uint8Array; key: Uint8Array }, authority: string): boolean {
  const match = /^client (.*) by (.*)$/.exec(content(identity.certificate));
  return match !== null && match[2] === authority && content(identity.key) === `key of ${match[1]}`;
}

function pem(kind: string, text: string): Uint8Array {
  return Buffer.from(`-----BEGIN ${kind}-----\n${Buffer.from(text).toString("base64")}\n-----END ${kind}-----\n`);
}

function content(file: Uint8Array): string {
  return Buffer.from(Buffer.from(file).toString("latin1").split("\n")[1] ?? "", "base64").toString();
}
