/** The console of an emulated board as a TCP port: with `socat` in front of it, a serial port like a real board's. */
import { createServer, type Socket } from "node:net";
import { Failure } from "../failure";

export interface ConsolePort {
  /** To everybody who is connected. */
  say(bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** Listens on the loopback interface. `typed`: what somebody there types. Fails when the port cannot be had. */
export async function openConsolePort(port: number, typed: (bytes: Uint8Array) => void): Promise<ConsolePort> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", typed);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
      reject(new Failure(`--console-port ${port}: ${reason}: give another`));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    say: (bytes) => {
      for (const socket of sockets) socket.write(bytes);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
