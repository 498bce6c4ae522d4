import { connect, Mqtt } from "../../../hal/node/mqtt";
import { type Contender, PAYLOAD, WINDOW } from "./contender";

const HOST = "127.0.0.1";

/** This project's client. */
export const moth: Contender = {
  async publisher(port, topic) {
    const client = await connect({ host: HOST, port, exactlyOnceInFlight: WINDOW });
    const options = ([0, 1, 2] as const).map((qos) => ({ qos }));
    return (qos, done) => void client.publish(topic, PAYLOAD, options[qos]).then(done);
  },
  async prepare({ port, name, topic, qos }) {
    const client = await connect({ host: HOST, port, clientId: name, clean: false });
    await client.subscribe(topic, qos, () => undefined);
    await client.leave();
  },
  async receive({ port, name, topic: filter, qos }, take) {
    const client = new Mqtt({ host: HOST, port, clientId: name, clean: false });
    const subscribed = client.subscribe(filter, qos, ({ topic, payload }) => take(topic, payload));
    await client.firstTry;
    return () => subscribed.then(() => client.leave());
  },
};
