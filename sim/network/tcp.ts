import { lookup } from "node:dns";
import { connect, type Socket as NodeSocket } from "node:net";
import type { Outside } from "../pace";
import type { Network, Socket, SocketEvents } from "./network";

/**
 * Real TCP connections, made by this machine. Everything that they report goes through {@link Outside}, so that the
 * simulated board finds it at the present moment of its own clock.
 */
export class TcpNetwork implements Network {
  constructor(private readonly outside: Outside) {}

  connect(host: string, port: number, events: SocketEvents): Socket {
    return new TcpSocket(this.outside, host, port, events);
  }

  resolve(host: string, done: (address: string | undefined) => void): void {
    const question = {};
    this.outside.awaitConnect(question);
    lookup(host, 4, (error, address) => {
      this.outside.answered(question);
      this.outside.run(() => done(error === null ? address : undefined));
    });
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

class TcpSocket implements Socket {
  private readonly socket: NodeSocket;
  private established = false;
  /** Nothing is reported any more. */
  private over = false;
  private unsent = 0;

  constructor(
    private readonly outside: Outside,
    private readonly host: string,
    port: number,
    events: SocketEvents,
  ) {
    this.socket = connect({ host, port, family: 4, noDelay: true });
    const asked = performance.now();
    outside.awaitConnect(this);
    this.socket.on("connect", () => {
      outside.connectTook(performance.now() - asked);
      outside.answered(this);
      this.established = true;
      this.report(() => events.connected());
    });
    this.socket.on("data", (chunk) => {
      outside.answered(this);
      this.report(() => events.data(new Uint8Array(chunk)));
    });
    this.drained = () => this.report(() => events.drained());
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!this.established) {
        outside.settled(this);
        this.report(() => events.failed(REASONS[error.code ?? ""] ?? error.message), true);
      }
    });
    this.socket.on("close", () => {
      outside.settled(this);
      this.report(() => events.closed(), true);
    });
  }

  private readonly drained: () => void;

  get remoteAddress(): string {
    return this.socket.remoteAddress ?? this.host;
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
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
    this.socket.setKeepAlive(seconds > 0, 1000 * seconds);
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
    if (this.established) {
      this.socket.resetAndDestroy();
    } else {
      this.socket.destroy();
    }
  }

  private report(happening: () => void, last = false): void {
    if (this.over) {
      return;
    }
    this.over = last;
    this.outside.run(happening);
  }
}
