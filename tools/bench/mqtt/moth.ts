import { connect, Mqtt } from "../../../hal/node/mqtt";
import { type Contender, PAYLOAD, TOPIC, WINDOW } from "./contender";

const HOST = "127.0.0.1";

/** This project's client. */
export const moth: Contender = {
  async publisher(port) {
    const client = await connect({ host: HOST, port, exactlyOnceInFlight: WINDOW });
    const options = ([0, 1, 2] as const).map((qos) => ({ qos }));
    return (qos, done) => void client.publish(TOPIC, PAYLOAD, options[qos]).then(done);
  },
  async prepare(port, session, qos) {
    const client = await connect({ host: HOST, port, clientId: session, clean: false });
    await client.subscribe(TOPIC, qos, () => undefined);
    await client.leave();
  },
  async receive(port, session, qos, take) {
    const client = new Mqtt({ host: HOST, port, clientId: session, clean: false });
    await client.subscribe(TOPIC, qos, ({ topic, payload }) => take(topic, payload));
  },
};
