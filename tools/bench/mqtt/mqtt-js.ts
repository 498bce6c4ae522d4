import { connect, connectAsync } from "mqtt";
import { type Contender, PAYLOAD, TOPIC } from "./contender";

/** MQTT.js, as it comes. */
export const mqttJs: Contender = {
  async publisher(port) {
    const client = await connectAsync(urlOf(port));
    const options = ([0, 1, 2] as const).map((qos) => ({ qos }));
    return (qos, done) => client.publish(TOPIC, PAYLOAD, options[qos], done);
  },
  async prepare(port, session, qos) {
    const client = await connectAsync(urlOf(port), { clientId: session, clean: false });
    await client.subscribeAsync(TOPIC, { qos });
    await client.endAsync();
  },
  receive(port, session, _qos, take) {
    const client = connect(urlOf(port), { clientId: session, clean: false });
    client.on("message", take);
    return new Promise((resolve) => client.once("connect", () => resolve()));
  },
};

function urlOf(port: number): string {
  return `mqtt://127.0.0.1:${port}`;
}
