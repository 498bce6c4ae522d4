/** The CONNACK return codes of MQTT 3.1.1. */
export const enum ConnectReturn {
  Accepted = 0,
  UnacceptableProtocol = 1,
  IdentifierRejected = 2,
  ServerUnavailable = 3,
  BadCredentials = 4,
  NotAuthorised = 5,
}
