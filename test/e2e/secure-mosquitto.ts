/** One Mosquitto that listens on a port for each thing that can be wrong with a certificate, and plain for the tests' own clients. */
import { afterAll, beforeAll } from "vitest";
import { Authority, type Certificate } from "../interop/brokers/certificates";
import { Mosquitto } from "./mosquitto";
import { freePort } from "./processes";

const NAMES = { names: "DNS:localhost" };

export interface SecureMosquitto {
  /** Its plain listener: what comes in by one goes out by all. */
  readonly broker: Mosquitto;
  /** The files of the authority that all but one of its certificates are signed by, and of a client's that it signed. */
  readonly ca: string;
  readonly client: Certificate;
  /** The port of each listener; whoever comes to `mutual` must show a certificate. */
  readonly ports: Readonly<Record<"good" | "untrusted" | "expired" | "misnamed" | "mutual", number>>;
}

/** For all tests of a file. */
export function secureMosquitto(): () => SecureMosquitto {
  let there: SecureMosquitto | undefined;
  const over: (() => unknown)[] = [];
  beforeAll(async () => {
    const ours = new Authority("our authority", { shared: true });
    const theirs = new Authority("their authority", { shared: true });
    over.push(() => ours.remove(), () => theirs.remove());
    const good = ours.sign("broker", NAMES);
    const certificates = {
      good,
      untrusted: theirs.sign("broker", NAMES),
      expired: ours.sign("broker", { ...NAMES, expired: true }),
      misnamed: ours.sign("broker", { names: "DNS:elsewhere.test" }),
      mutual: good,
    };
    const ports = {
      good: await freePort(), untrusted: await freePort(), expired: await freePort(), misnamed: await freePort(),
      mutual: await freePort(),
    };
    const config = (["good", "untrusted", "expired", "misnamed", "mutual"] as const).flatMap((name) => [
      `listener ${ports[name]} 127.0.0.1`, `certfile ${certificates[name].cert}`, `keyfile ${certificates[name].key}`,
    ]);
    // What follows a listener is about it.
    config.push(`cafile ${ours.certFile}`, "require_certificate true");
    const broker = await Mosquitto.start({ shared: true, config });
    over.push(() => broker.stop());
    there = { broker, ca: ours.certFile, client: ours.sign("board"), ports };
  });
  afterAll(async () => {
    for (const end of over.reverse()) await end();
  });
  return () => {
    if (there === undefined) throw new Error("there is no broker before the first test");
    return there;
  };
}
