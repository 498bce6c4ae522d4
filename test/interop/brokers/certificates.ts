/** Certificates for tests, made anew each time with openssl. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { requireTool } from "../../system";

/** The files of a certificate and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** What it is for: `DNS:broker.test,IP:127.0.0.1`. Left out: a client's. */
  readonly names?: string;
  /** It was good until yesterday. */
  readonly expired?: boolean;
}

/** An authority that signs certificates, in a folder that goes with the test; a shared one's with {@link Authority.remove}. */
export class Authority {
  private readonly folder: string;
  private readonly own: Certificate;
  private made = 0;

  constructor(name: string, { shared = false }: { readonly shared?: boolean } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "moth-ca-"));
    if (!shared) onTestFinished(() => this.remove());
    this.own = this.files("ca");
    const args = ["req", "-x509", ...this.newKey(this.own), "-out", this.own.cert, "-days", "2", "-subj", `/CN=${name}`];
    openssl(...args);
  }

  /** The file, and what is in it, that whoever believes this authority is given. */
  get certFile(): string {
    return this.own.cert;
  }

  get cert(): Buffer {
    return readFileSync(this.own.cert);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  sign(subject: string, { names, expired = false }: CertificateOptions = {}): Certificate {
    this.made++;
    const files = this.files(String(this.made));
    const request = join(this.folder, `${this.made}.csr`);
    const extensions = join(this.folder, `${this.made}.ext`);
    writeFileSync(extensions, names === undefined ? "extendedKeyUsage=clientAuth\n" : `subjectAltName=${names}\n`);
    openssl("req", "-new", ...this.newKey(files), "-out", request, "-subj", `/CN=${subject}`);
    openssl(
      ...["x509", "-req", "-in", request, "-CA", this.own.cert, "-CAkey", this.own.key, "-set_serial", String(this.made)],
      ...["-days", expired ? "-1" : "1", "-extfile", extensions, "-out", files.cert],
    );
    return files;
  }

  private files(stem: string): Certificate {
    return { cert: join(this.folder, `${stem}.pem`), key: join(this.folder, `${stem}.key`) };
  }

  private newKey({ key }: Certificate): string[] {
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
  }
}

function openssl(...args: string[]): void {
  execFileSync(requireTool("openssl"), args, { stdio: ["ignore", "pipe", "pipe"] });
}
