/** What a row of the lists is: one normative statement of a specification, in our words. */

export type Version = "3.1.1" | "5.0";

export interface Statement {
  /** As the specification numbers it, without `MQTT-`. */
  readonly id: string;
  /** Whom it obliges. What obliges servers alone is listed, and left out of the counts. */
  readonly binds: "client" | "server";
  readonly says: string;
  /** Why it cannot apply to this client; such a row needs no test. */
  readonly reason?: string;
}

export function client(id: string, says: string): Statement {
  return { id, binds: "client", says };
}

export function server(id: string, says: string): Statement {
  return { id, binds: "server", says };
}

/** A statement that binds clients, but cannot apply to this one. */
export function idle(id: string, says: string, reason: string): Statement {
  return { id, binds: "client", says, reason };
}

/** How the name of a test carries a statement: `[MQTT-3.1.0-1]` of 3.1.1, `[MQTT5-3.1.0-1]` of 5.0. */
export function tagOf(version: Version, id: string): string {
  return version === "5.0" ? `MQTT5-${id}` : `MQTT-${id}`;
}
