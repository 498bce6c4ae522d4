import { beforeAll, describe } from "vitest";
import { startAedes } from "./brokers/aedes";
import { exchanges } from "./exchange";

describe("aedes", () => {
  let port = 0;
  beforeAll(async () => {
    port = await startAedes();
  });

  exchanges(() => ({ host: "127.0.0.1", port }), { qos: 2, tellsSession: true });
});
