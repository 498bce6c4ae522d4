/** Faults in the features of the receiving side, for the scenarios that have them. */
import { confirm } from "../../firmware/mqtt/incoming";
import { acknowledge } from "../../firmware/mqtt/receive/by-hand";
import { type Fault } from "./fault";

export const receivingFaults: readonly Fault[] = [
  {
    name: "a message is acknowledged before the application has done so by hand",
    plant({ client, hand }) {
      if (hand === undefined) return;
      const settle = hand.settle;
      hand.settle = (given, now, qos, id) => {
        settle(given, now, qos, id);
        acknowledge(client, hand, now, hand.first + hand.count - 1);
      };
    },
    complaint: /to the client: lost/,
  },
  {
    name: "the table of what is acknowledged by hand outlives its link",
    plant({ hand }) {
      if (hand !== undefined) hand.linkLost = () => undefined;
    },
    complaint: /PUBACK \d+ out of turn|PUBREC \d+ out of turn/,
  },
  {
    name: "what has come behind a message that is not taken is forgotten",
    plant({ held }) {
      if (held !== undefined) held.store = () => undefined;
    },
    complaint: /to the client: lost|never end|owes PUB/,
  },
  {
    name: "a message at QoS 2 that is not taken counts as delivered when its link is lost",
    plant({ client, held }) {
      if (held !== undefined && client.exactlyOnce !== undefined) client.exactlyOnce.forget = () => undefined;
    },
    complaint: /to the client: lost: in\/2/,
  },
  {
    name: "a message in parts is acknowledged when it begins",
    plant({ client }) {
      const { large } = client.reader;
      if (large === undefined) return;
      const begin = large.begin.bind(large);
      large.begin = (now) => {
        begin(now);
        confirm(client, client.message.qos, 1);
      };
    },
    complaint: /out of turn/,
  },
  {
    name: "the application is not told that a message in parts is off",
    plant({ client }) {
      if (client.parts !== undefined) client.parts.linkLost = () => undefined;
    },
    complaint: /does not end as it should/,
  },
];
