/** What becomes of a broker that breaks the protocol. */
import { Breach } from "../breach";
import { type Client } from "../client-state";
import { violation } from "../incoming";
import { Reason } from "./reason";
import { type FiveState } from "./state";

/** The broker has sent what it must not: the link is ended, and it is told why. */
export function wrong(five: FiveState, client: Client, reason: Reason): void {
  five.fault = reason;
  violation(client, breachOf(reason));
}

function breachOf(reason: Reason): Breach {
  switch (reason) {
    case Reason.MalformedPacket:
      return Breach.Malformed;
    case Reason.TopicAliasInvalid:
      return Breach.TopicAlias;
    case Reason.TopicNameInvalid:
      return Breach.TopicWildcard;
    case Reason.PacketTooLarge:
      return Breach.TooLarge;
    default:
      return Breach.ProtocolError;
  }
}
