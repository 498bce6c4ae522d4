import { lookup } from "node:dns";
import { connect, type Socket as NodeSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Outside } from "../pace";
import { CertificateFlaw, describeFlaws, flawsOf, type TlsRequest } from "./certificates";
import { ConnectFailure, type Network, type Socket, type SocketEvents } from "./network";
import { certificateFacts, startTls } from "./tls";

/** A port that hardly anybody listens on: a host that is there says so by refusing. */
const ECHO_PORT = 7;
/** How long a simulated time server takes for its answer, ms. */
const TIME_ANSWER_MS = 30;

/**
 * Real TCP and TLS connections, made by this machine. Everything that they report goes through {@link Outside}, so
 * that the simulated board finds it at the present moment of its own clock.
 */
export class TcpNetwork implements Network {
  /** Real time when the simulated clock was at 0, ms since 1970. */
  private readonly epoch: number;

  constructor(private readonly outside: Outside) {
    this.epoch = Date.now() - outside.now;
  }

  connect(host: string, port: number, events: SocketEvents, tls?: TlsRequest): Socket {
    return new TcpSocket(this.outside, host, port, events, tls);
  }

  resolve(host: string, done: (address: string | undefined) => void): void {
    const question = {};
    this.outside.awaitConnect(question);
    lookup(host, 4, (error, address) => {
      this.outside.answered(question);
      this.outside.run(() => done(error === null ? address : undefined));
    });
  }

  /** Without the rights for ICMP: knocks on a port, and a refusal is an answer too. */
  ping(host: string, done: (ms: number) => void): void {
    const asked = performance.now();
    const answer = (): void => {
      knock.destroy();
      this.outside.settled(knock);
      this.outside.run(() => done(performance.now() - asked));
    };
    const knock = connect({ host, port: ECHO_PORT, family: 4 });
    this.outside.awaitConnect(knock);
    knock.on("connect", answer);
    knock.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") {
        answer();
      }
    });
  }

  /** The time servers are simulated: all of them tell the time of the simulation, which began at the real time. */
  askTime(_server: string, done: (time: number) => void): void {
    this.outside.after(TIME_ANSWER_MS, () => done(this.epoch + this.outside.now));
  }
}

/** What people should read instead of the system's error codes. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "no such host",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ECONNRESET: "connection reset",
};

const FAILURES: Record<string, ConnectFailure> = {
  ECONNREFUSED: ConnectFailure.Refused,
  ENOTFOUND: ConnectFailure.UnknownHost,
  EAI_AGAIN: ConnectFailure.UnknownHost,
};

class TcpSocket implements Socket {
  /** The TCP connection, and what goes over it: the same, unless there is TLS in between. */
  private readonly bare: NodeSocket;
  private readonly socket: NodeSocket;
  private reached = false;
  private established = false;
  /** Nothing is reported any more. */
  private over = false;
  private unsent = 0;

  constructor(
    private readonly outside: Outside,
    private readonly host: string,
    port: number,
    private readonly events: SocketEvents,
    tls: TlsRequest | undefined,
  ) {
    this.bare = connect({ host, port, family: 4, noDelay: true });
    const asked = performance.now();
    outside.awaitConnect(this);
    this.bare.on("connect", () => {
      outside.connectTook(performance.now() - asked);
      this.reached = true;
      if (tls === undefined) {
        this.establish();
      }
    });
    const secured = tls === undefined ? undefined : startTls(this.bare, tls);
    this.socket = secured ?? this.bare;
    secured?.on("secureConnect", () => this.examine(secured, tls));
    if (tls !== undefined && secured === undefined) {
      this.bare.destroy(new Error("the client's own certificate or key is no good"));
    }
    this.socket.on("data", (chunk) => {
      outside.answered(this);
      this.report(() => events.data(new Uint8Array(chunk)));
    });
    this.drained = () => this.report(() => events.drained());
    this.bare.on("error", (error) => this.broken(error));
    this.socket.on("error", (error) => this.broken(error));
    this.socket.on("close", () => {
      outside.settled(this);
      if (this.established) {
        this.report(() => events.closed(), true);
      } else {
        this.fail("the server closed the connection during the handshake", ConnectFailure.Handshake);
      }
    });
  }

  private readonly drained: () => void;

  get remoteAddress(): string {
    return this.bare.remoteAddress ?? this.host;
  }

  get localPort(): number {
    return this.bare.localPort ?? 0;
  }

  get bufferedBytes(): number {
    return this.unsent;
  }

  write(chunk: Uint8Array): void {
    if (this.over || !this.established) {
      return;
    }
    this.unsent += chunk.length;
    this.outside.awaitAnswer(this);
    this.socket.write(new Uint8Array(chunk), () => {
      this.unsent -= chunk.length;
      this.drained();
    });
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  keepAlive(seconds: number): void {
    this.bare.setKeepAlive(seconds > 0, 1000 * seconds);
  }

  end(): void {
    this.over = true;
    this.outside.settled(this);
    // What the peer still says must be read, or its FIN is never seen and the socket stays.
    this.socket.resume();
    this.socket.end();
  }

  destroy(): void {
    this.over = true;
    this.outside.settled(this);
    if (this.established && this.socket === this.bare) {
      this.bare.resetAndDestroy();
      return;
    }
    this.socket.destroy();
    this.bare.destroy();
  }

  /** TLS is up, as far as Node is concerned: whether the server is to be believed is for the module's own clock. */
  private examine(secured: TLSSocket, tls: TlsRequest | undefined): void {
    const flaws = tls?.authority === undefined ? CertificateFlaw.None
      : flawsOf(certificateFacts(secured, tls.authority), tls);
    if (flaws === CertificateFlaw.None) {
      this.establish();
    } else {
      this.fail(describeFlaws(flaws), ConnectFailure.Certificate, flaws);
      this.socket.destroy();
    }
  }

  private establish(): void {
    this.outside.answered(this);
    this.established = true;
    this.report(() => this.events.connected());
  }

  private broken(error: NodeJS.ErrnoException): void {
    if (this.established) {
      return;
    }
    const code = error.code ?? "";
    const failure = this.reached ? ConnectFailure.Handshake : (FAILURES[code] ?? ConnectFailure.Unreachable);
    this.fail(REASONS[code] ?? error.message, failure);
  }

  private fail(reason: string, failure: ConnectFailure, flaws: number = CertificateFlaw.None): void {
    this.outside.settled(this);
    this.report(() => this.events.failed(reason, failure, flaws), true);
  }

  private report(happening: () => void, last = false): void {
    if (this.over) {
      return;
    }
    this.over = last;
    this.outside.run(happening);
  }
}
