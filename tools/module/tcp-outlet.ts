/** The module as a TCP port: a byte stream, without any protocol around it. */
import { createServer, type Socket } from "node:net";
import { Failure } from "../failure";
import { type Outlet, type OutletEvents, UNREAD_LIMIT } from "./outlet";

export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** What `--listen` takes: `HOST:PORT`, `[::1]:PORT`, or a port on the loopback interface. */
export function listenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ""] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) {
    throw new Failure(`--listen ${text}: write HOST:PORT, for example 127.0.0.1:3333, or only a port`);
  }
  return { host: bracketed ?? plain ?? "127.0.0.1", port };
}

const REASONS = new Map([
  ["EADDRINUSE", "another program listens there"],
  ["EACCES", "not allowed: ports below 1024 are the system's"],
  ["EADDRNOTAVAIL", "this computer has no such address"],
  ["ENOTFOUND", "no such host"],
  ["EAI_AGAIN", "no such host"],
]);

export async function openTcpOutlet({ host, port }: ListenAddress, events: OutletEvents): Promise<Outlet> {
  let present: Socket | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    const name = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
    socket.on("error", () => socket.destroy());
    if (present !== undefined) {
      socket.destroy();
      events.refused(name);
      return;
    }
    present = socket;
    socket.on("data", (bytes) => events.data(new Uint8Array(bytes)));
    socket.on("close", () => {
      present = undefined;
      events.gone();
    });
    events.connected({
      name,
      write: (bytes) => {
        if (socket.writableLength < UNREAD_LIMIT) socket.write(new Uint8Array(bytes));
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new Failure(`--listen ${host}:${port}: ${REASONS.get(error.code ?? "") ?? error.message}: give another`));
    });
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const actual = bound === null || typeof bound === "string" ? port : bound.port;
  return {
    address: `${host.includes(":") ? `[${host}]` : host}:${actual}`,
    close: async () => {
      present?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
