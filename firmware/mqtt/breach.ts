/** What a broker may do that MQTT does not allow. Whatever it is, the link is closed and a new one is asked for. */
export const enum Breach {
  None,

  // Packets that cannot be read.

  /** A remaining length of more than four bytes [MQTT 3.1.1 §2.2.3]; in MQTT 5.0, of more than it needs [MQTT5-1.5.5-1]. */
  RemainingLength,
  /** A packet type that does not exist. [MQTT 3.1.1 §2.2.1] */
  UnknownType,
  /** Flags that the packet's type does not have. [MQTT-2.2.2-2] */
  Flags,
  /** A PUBLISH at QoS 3. [MQTT-3.3.1-4] */
  Qos3,
  /** A PUBLISH at QoS 0 with DUP. [MQTT-3.3.1-2] */
  DupWithoutQos,
  /** A packet that ends in the middle of a field, or has bytes behind its last one. */
  Length,
  /** A topic that is not well-formed UTF-8, or has U+0000 in it. [MQTT-1.5.3-1] [MQTT-1.5.3-2] */
  TopicText,
  /** A topic of no byte. [MQTT-4.7.3-1] */
  TopicEmpty,
  /** A topic with a wildcard in it. [MQTT-3.3.2-2] */
  TopicWildcard,
  /** A packet identifier of 0. [MQTT-2.3.1-1] */
  ZeroIdentifier,
  /** MQTT 5.0: a packet that is not what it should be in any other way, such as in its properties. [MQTT 5.0 §4.13] */
  Malformed,

  // Packets that can be read, and may not come.

  /** Something other than CONNACK came first. [MQTT-3.2.0-1] */
  BeforeConnack,
  /** CONNACK came twice. */
  SecondConnack,
  /** A packet that only clients send. */
  ClientPacket,
  /** A PUBLISH at QoS 2, or a packet of such an exchange, to a client that has not asked for any. */
  Qos2NotAsked,
  /** Reserved flags in CONNACK, or a refusal with session present. [MQTT-3.2.2-4] */
  ConnackFlags,
  /** Session present, though a clean session was asked for. [MQTT-3.2.2-1] */
  SessionNotAsked,
  /** SUBACK with more or fewer codes than filters, or a code that is none of the QoS asked for. [MQTT-3.9.3-2] */
  SubackCodes,
  /** MQTT 5.0: anything else that must not be, such as a property that stands there twice. [MQTT 5.0 §4.13] */
  ProtocolError,
  /** MQTT 5.0: a topic alias that was not allowed. [MQTT5-3.3.2-11] */
  TopicAlias,

  // Resources.

  /** A packet other than PUBLISH that is longer than `receiveSize`. */
  TooLarge,
}
