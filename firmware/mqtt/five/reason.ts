/** Reason codes of MQTT 5.0, those that the client itself sends or asks for. [MQTT 5.0 §2.4] */

export const enum Reason {
  /** Success; normal disconnection; granted at QoS 0. */
  Success = 0x00,
  DisconnectWithWill = 0x04,
  /** Of a PUBACK or PUBREC: accepted, and nobody has subscribed to it. */
  NoSubscribers = 0x10,
  /** Of an UNSUBACK: there was no such subscription. */
  NoSubscription = 0x11,
  ContinueAuthentication = 0x18,
  Reauthenticate = 0x19,
  /** From here on a reason code is a failure. */
  Unspecified = 0x80,
  MalformedPacket = 0x81,
  ProtocolError = 0x82,
  ImplementationSpecific = 0x83,
  SessionTakenOver = 0x8e,
  TopicNameInvalid = 0x90,
  PacketIdentifierNotFound = 0x92,
  ReceiveMaximumExceeded = 0x93,
  TopicAliasInvalid = 0x94,
  PacketTooLarge = 0x95,
  QuotaExceeded = 0x97,
  SharedNotSupported = 0x9e,
  WildcardsNotSupported = 0xa2,
}

/** Whether a reason code tells of a failure. */
export function isFailure(reason: number): boolean {
  return reason >= Reason.Unspecified;
}
