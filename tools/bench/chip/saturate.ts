/** The board that fills the line, as an application of its own: to find out what that takes of a chip. */
import { floodBoard } from "../flood";

export default floodBoard({
  topic: "moth/greenhouse-one/telemetry",
  payload: '{"seq":314,"temperature":21.5,"humidity":48.2,"relay":false,"u',
  qos: 0,
  coalesce: 64,
  buffers: { outbox: 4096, outboxSlots: 64, send: 4096, receivePiece: 960, window: 1024, receive: 512, subscribe: 64 },
});
