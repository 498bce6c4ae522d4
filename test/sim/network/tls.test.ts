import { readFileSync } from "node:fs";
import { createServer as createPlainServer, type AddressInfo, type Server as PlainServer } from "node:net";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { SimClock } from "../../../sim/clock";
import type { TlsRequest } from "../../../sim/network/certificates";
import type { Socket } from "../../../sim/network/network";
import { TcpNetwork } from "../../../sim/network/tcp";
import { Outside, runPaced } from "../../../sim/pace";
import { Authority, type Certificate } from "../../interop/brokers/certificates";

const DAY = 86_400_000;
const servers: Server[] = [];

afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

/** What a server came to know of a client. */
interface Seen {
  readonly name: unknown;
  readonly version: string | null;
  readonly cipher: string;
  readonly protocol: string | false | null;
  readonly client: unknown;
}

/** A server that answers what it gets, in capitals. */
async function serve({ cert, key }: Certificate, options: TlsOptions = {}): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key), ...options }, (socket) => {
    seen.push({
      name: socket.servername,
      version: socket.getProtocol(),
      cipher: socket.getCipher().name,
      protocol: socket.alpnProtocol,
      client: socket.getPeerX509Certificate()?.subject,
    });
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => socket.write(data.toString().toUpperCase()));
  });
  server.on("tlsClientError", () => undefined);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: portOf(server), seen };
}

function portOf(server: PlainServer): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A certificate is good from the second in which it was made, which may be after the one in which a test began. */
function soon(): number {
  return Date.now() + 60_000;
}

const trusting: TlsRequest = {
  name: undefined,
  authority: undefined,
  identity: undefined,
  protocols: [],
  ciphers: [],
  time: undefined,
};

/** Connects, says hello, and gives what happened until the answer came or the connection failed. */
async function greet(port: number, request: Partial<TlsRequest>, host = "127.0.0.1"): Promise<string[]> {
  const clock = new SimClock();
  const outside = new Outside(clock);
  const log: string[] = [];
  let over = false;
  const socket: Socket = new TcpNetwork(outside).connect(host, port, {
    connected: () => socket.write(Buffer.from("hello")),
    drained() {},
    data: (chunk) => {
      log.push(Buffer.from(chunk).toString());
      over = true;
    },
    closed: () => {
      log.push("closed");
      over = true;
    },
    failed: (reason, _failure, flaws) => {
      log.push(reason, `0x${flaws.toString(16)}`);
      over = true;
    },
  }, { ...trusting, ...request });
  await runPaced(clock, { speed: "real", outside, until: () => over });
  socket.destroy();
  return log;
}

describe("TLS on the real network", () => {
  test("carries bytes both ways, with whoever is at the other end when nobody is to be verified", async () => {
    const { port } = await serve(new Authority("anybody").sign("localhost", { expired: true }));
    expect(await greet(port, { time: 0, name: "elsewhere" })).toEqual(["HELLO"]);
  });

  test("accepts a server whose certificate the authority signed, for its name, in its time", async () => {
    const authority = new Authority("right");
    const { port, seen } = await serve(authority.sign("server", { names: "DNS:localhost,DNS:*.moth.test" }));
    expect(await greet(port, { authority: authority.cert, name: "localhost", time: soon() })).toEqual(["HELLO"]);
    expect(await greet(port, { authority: authority.cert, name: "a.moth.test", time: soon() })).toEqual(["HELLO"]);
    expect(seen).toMatchObject([{ name: "localhost", version: "TLSv1.2" }, { name: "a.moth.test" }]);
  });

  test("refuses one that another authority signed, and says so", async () => {
    const { port } = await serve(new Authority("wrong").sign("localhost", { names: "DNS:localhost" }));
    const log = await greet(port, { authority: new Authority("right").cert, name: "localhost", time: soon() });
    expect(log).toEqual(["the server's certificate is not signed by the authority that is trusted", "0x8"]);
  });

  test("follows the chain that the server shows, up to an authority that is believed and no other", async () => {
    const theirs = new Authority("shared name");
    const ours = new Authority("shared name");
    const server = theirs.sign("server", { names: "DNS:localhost" });
    const chain = Buffer.concat([readFileSync(server.cert), theirs.cert]);
    const { port } = await serve(server, { cert: chain });
    const ask = { name: "localhost", time: soon() };
    expect(await greet(port, { ...ask, authority: theirs.cert })).toEqual(["HELLO"]);
    expect(await greet(port, { ...ask, authority: ours.cert })).toContain("0x8");
    expect(await greet(port, { ...ask, authority: readFileSync(server.cert) })).toEqual(["HELLO"]);
    expect(await greet(port, { ...ask, authority: Buffer.from("nothing") })).toContain("0x8");
  });

  test("refuses another name, a certificate of yesterday, and one of tomorrow by the client's clock", async () => {
    const authority = new Authority("right");
    const ask = { authority: authority.cert, name: "localhost", time: soon() };
    const { port: other } = await serve(authority.sign("elsewhere", { names: "DNS:elsewhere" }));
    expect(await greet(other, ask)).toEqual(["the server's certificate is for another name", "0x4"]);
    const { port: old } = await serve(authority.sign("localhost", { names: "DNS:localhost", expired: true }));
    expect(await greet(old, ask)).toEqual(["the server's certificate is expired", "0x1"]);
    const { port } = await serve(authority.sign("localhost", { names: "DNS:localhost" }));
    expect(await greet(port, { ...ask, time: 0 })).toEqual(["the server's certificate is not yet valid", "0x200"]);
    expect(await greet(port, { ...ask, time: Date.now() + 3 * DAY })).toEqual(
      ["the server's certificate is expired", "0x1"]);
  });

  test("shows a server that asks for it who it is, and is turned away otherwise", async () => {
    const authority = new Authority("ours");
    const server = authority.sign("localhost", { names: "DNS:localhost" });
    const { port, seen } = await serve(server, { requestCert: true, rejectUnauthorized: true, ca: authority.cert });
    const { cert, key } = authority.sign("board-7");
    const identity = { certificate: readFileSync(cert), key: readFileSync(key) };
    expect(await greet(port, { identity })).toEqual(["HELLO"]);
    expect(seen).toMatchObject([{ client: "CN=board-7" }]);
    expect((await greet(port, {})).at(-1)).toBe("0x0");
    const stranger = new Authority("theirs").sign("board-8");
    const other = { certificate: readFileSync(stranger.cert), key: readFileSync(stranger.key) };
    expect((await greet(port, { identity: other })).at(-1)).toBe("0x0");
    const torn = { ...identity, key: other.key };
    expect(await greet(port, { identity: torn })).toEqual(["the client's own certificate or key is no good", "0x0"]);
  });

  test("offers the protocols and the ciphers that it is told to", async () => {
    const authority = new Authority("right");
    const { port, seen } = await serve(authority.sign("localhost"), { ALPNProtocols: ["mqtt"] });
    expect(await greet(port, { protocols: ["x", "mqtt"], ciphers: [0xc02b] })).toEqual(["HELLO"]);
    expect(seen).toMatchObject([{ protocol: "mqtt", cipher: "ECDHE-ECDSA-AES128-GCM-SHA256" }]);
  });

  test("fails where nobody listens, and where nobody speaks it", async () => {
    const { port } = await serve(new Authority("right").sign("localhost"));
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await greet(port, {})).toEqual(["connection refused", "0x0"]);
    const plain = createPlainServer((socket) => socket.on("data", () => socket.end("what?")));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    expect((await greet(portOf(plain), {})).at(-1)).toBe("0x0");
    plain.close();
  });
});
