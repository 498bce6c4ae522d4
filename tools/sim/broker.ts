/** The broker that a simulated board talks to: one that runs in this process, or one elsewhere that is there. */
import { createServer, connect, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { Failure } from "../failure";

export interface EmbeddedBroker {
  readonly port: number;
  /** Why it is not on 1883, when that was tried first; else undefined. */
  readonly remark: string | undefined;
  /** Publishes at QoS 1, as any client could. */
  publish(topic: string, payload: string): void;
  /** Calls `hear` with every message of a topic, as any subscriber would get it. */
  watch(topic: string, hear: (payload: string) => void): void;
  close(): Promise<void>;
}

const USUAL_PORT = 1883;

/** Starts a broker on the loopback interface: on `port`, or if that is undefined on 1883 if it is free, else on any. */
export async function startEmbeddedBroker(port: number | undefined): Promise<EmbeddedBroker> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    broker.handle(socket);
  });
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  };
  const publish = (topic: string, payload: string): void => {
    broker.publish({ cmd: "publish", topic, payload, qos: 1, retain: false, dup: false }, () => undefined);
  };
  const watch = (topic: string, hear: (payload: string) => void): void => {
    const deliver = (packet: { readonly payload: string | Buffer }, done: () => void): void => {
      hear(packet.payload.toString());
      done();
    };
    broker.subscribe(topic, deliver, () => undefined);
  };
  const wanted = port ?? USUAL_PORT;
  const code = await listen(server, wanted);
  if (code === undefined) return { port: wanted, remark: undefined, publish, watch, close };
  if (port !== undefined) {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    throw new Failure(`--port ${port}: ${code === "EADDRINUSE" ? "another program listens there" : code}: give another`);
  }
  await listen(server, 0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Failure("the embedded broker found no free port");
  return { port: address.port, remark: `port ${USUAL_PORT} is taken`, publish, watch, close };
}

/** Gives the error's code when it cannot listen. */
function listen(server: Server, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      resolve(undefined);
    });
  });
}

const REACH_MS = 5000;

/** Fails when nobody listens at the address: better said at once than after a simulated board has tried for minutes. */
export async function checkReachable(host: string, port: number): Promise<void> {
  const reason = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, timeout: REACH_MS });
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("timeout", () => {
      socket.destroy();
      resolve("no answer");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(reasons.get(error.code ?? "") ?? error.message));
  });
  if (reason !== undefined) {
    throw new Failure(`cannot reach the broker at ${host}:${port} (${reason}): start it, or give another --broker`);
  }
}

const reasons = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ENOTFOUND", "no such host"],
  ["EAI_AGAIN", "the host name cannot be looked up"],
  ["EHOSTUNREACH", "no route to the host"],
  ["ENETUNREACH", "no route to the network"],
  ["ETIMEDOUT", "no answer"],
]);
