/** aedes, the broker that is a library, behind a TCP port of this process. */
import { createServer, type Socket } from "node:net";
import { Aedes } from "aedes";
import { afterAll } from "vitest";
import { freePort } from "../../e2e/processes";

/** Gives its port. It ends with the suite that has started it. */
export async function startAedes(): Promise<number> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    broker.handle(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => broker.close(resolve));
    await new Promise<unknown>((resolve) => server.close(resolve));
  });
  return port;
}
