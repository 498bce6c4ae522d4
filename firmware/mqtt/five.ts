/** What the client asks of MQTT 5.0, when the application carries it. */

export interface Five {
  /** The protocol level that it speaks. */
  readonly protocol: 5;
}
