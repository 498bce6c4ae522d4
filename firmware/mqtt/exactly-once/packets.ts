/** PUBREC, PUBREL and PUBCOMP as MQTT 3.1 and 3.1.1 write them: an identifier, and nothing else. */
import type { Bytes, Millis } from "../../../hal/hal";
import { div, u16At } from "#native";
import { Breach } from "../breach";
import { type Client } from "../client-state";
import { type ExactlyOnce } from "../exactly-once";
import { violation } from "../incoming";
import { PacketType } from "../packet";
import { PUBREL } from "./answers";

export function packetCame(
  exactlyOnce: ExactlyOnce,
  client: Client,
  now: Millis,
  first: number,
  bytes: Bytes,
  at: number,
  count: number,
): void {
  const type: PacketType = div(first, 16);
  // In MQTT 3.1 the flags of these packets mean nothing; a PUBREL that is repeated has DUP.
  if (client.options.protocol !== 3 && first !== (type === PacketType.Pubrel ? PUBREL : type * 16)) {
    violation(client, Breach.Flags);
    return;
  }
  if (count !== 2) {
    violation(client, Breach.Length);
    return;
  }
  const id = u16At(bytes, at);
  if (id === 0) {
    violation(client, Breach.ZeroIdentifier);
    return;
  }
  if (type === PacketType.Pubrec) exactlyOnce.pubrec(client, now, id);
  else if (type === PacketType.Pubrel) exactlyOnce.pubrel(client, id);
  else exactlyOnce.pubcomp(client, now, id);
}
