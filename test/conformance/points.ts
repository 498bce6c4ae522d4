/**
 * The 58 points at which MQTT clients were seen to fail, and what proves each here: the statements behind it, of either
 * version, and tests of its own where no statement says it. Such tests carry `[P42]` in their names.
 */

export interface Point {
  readonly number: number;
  readonly says: string;
  /** Every one of these must have a test, also where it binds servers: then the test shows what we make of a breach. */
  readonly of311: readonly string[];
  readonly of50: readonly string[];
  /** A test that carries the point itself is asked for. */
  readonly own: boolean;
}

function point(number: number, says: string, of311: readonly string[], of50: readonly string[], own = false): Point {
  return { number, says, of311, of50, own };
}

export const points: readonly Point[] = [
  point(1, "remaining length: at most 4 bytes, as few as possible", [], ["1.5.5-1"], true),
  point(2, "wrong reserved flags end the link", ["2.2.2-1", "2.2.2-2"], ["2.1.3-1"]),
  point(3, "ill-formed UTF-8 ends the link, and is never sent", ["1.5.3-1"], ["1.5.4-1"]),
  point(4, "U+0000 is refused in topics and filters", ["1.5.3-2", "4.7.3-2"], ["1.5.4-2"]),
  point(5, "EF BB BF is kept", ["1.5.3-3"], ["1.5.4-3"]),
  point(6, "one CONNECT, and it comes first", ["3.1.0-1"], ["3.1.0-1"]),
  point(
    7,
    "the flags of the will agree with its fields",
    ["3.1.2-9", "3.1.2-11", "3.1.2-13", "3.1.2-14", "3.1.2-15"],
    ["3.1.2-9", "3.1.2-11", "3.1.2-12", "3.1.2-13"],
  ),
  point(
    8,
    "a password without user name: 5.0 only",
    ["3.1.2-18", "3.1.2-19", "3.1.2-20", "3.1.2-21", "3.1.2-22"],
    ["3.1.2-16", "3.1.2-17", "3.1.2-18", "3.1.2-19"],
  ),
  point(9, "the order of the fields of CONNECT", ["3.1.3-1", "3.1.3-3"], ["3.1.3-1"]),
  point(10, "an empty client identifier; the assigned one is kept", ["3.1.3-7"], ["3.2.2-16"]),
  point(11, "anything before CONNACK ends the link; none in time, too", ["3.2.0-1"], ["3.2.0-1"], true),
  point(12, "a refusal is a refusal: closed, backed off", ["3.2.2-5"], ["3.2.2-7"]),
  point(13, "session present after a clean start ends the link", ["3.2.2-1"], ["3.2.2-4"]),
  point(
    14,
    "a lost session: state discarded, subscribed again, application told",
    ["3.2.2-2", "3.2.2-3", "3.1.2-6"],
    ["3.2.2-5"],
    true,
  ),
  point(15, "a kept session: everything kept, nothing subscribed again", ["3.1.2-4", "4.1.0-1"], ["3.1.2-23"]),
  point(16, "identifiers are never 0, and wrap to 1", ["2.3.1-1"], ["2.2.1-3"]),
  point(17, "identifiers in use are passed over, of every kind", ["2.3.1-2"], ["2.2.1-3"]),
  point(18, "no identifier at QoS 0", ["2.3.1-5"], ["2.2.1-2"]),
  point(
    19,
    "acknowledgements fit by identifier and by type",
    ["2.3.1-6", "2.3.1-7"],
    ["2.2.1-5", "2.2.1-6"],
  ),
  point(20, "a resend has DUP and its identifier", ["3.3.1-1", "2.3.1-3"], ["3.3.1-1"]),
  point(21, "no DUP at QoS 0", ["3.3.1-2", "4.3.1-1"], ["3.3.1-2", "4.3.1-1"]),
  point(22, "both QoS bits end the link", ["3.3.1-4"], ["3.3.1-4"]),
  point(23, "topic names: not empty, no wildcard", ["3.3.2-1", "3.3.2-2", "4.7.1-1"], ["3.3.2-1", "3.3.2-2", "4.7.0-1"]),
  point(24, "the application learns of retain", ["3.3.1-8", "3.3.1-9"], ["3.3.1-12", "3.3.1-13"]),
  point(25, "empty payloads, both ways", ["3.3.1-10", "3.3.1-11"], ["3.3.1-6", "3.3.1-7"]),
  point(26, "every message above QoS 0 is acknowledged, also if unwanted", ["3.3.4-1", "4.5.0-2"], ["4.5.0-2"]),
  point(27, "acknowledged when owned; then the identifier is new", ["4.3.2-2"], ["4.3.2-4", "4.3.2-5"]),
  point(28, "QoS 2 in: delivered once, each step answered", ["4.3.3-2"], ["4.3.3-10", "4.3.3-11", "4.3.3-12"]),
  point(29, "QoS 2 out: after PUBREL only PUBREL", ["4.3.3-1"], ["4.3.3-4", "4.3.3-5", "4.3.3-6"]),
  point(
    30,
    "the first bytes 0x62, 0x82 and 0xA2",
    ["3.6.1-1", "3.8.1-1", "3.10.1-1"],
    ["3.6.1-1", "3.8.1-1", "3.10.1-1"],
  ),
  point(31, "resends on resume; on 5.0 only then", ["4.4.0-1"], ["4.4.0-1"]),
  point(
    32,
    "order, of resends and of acknowledgements",
    ["4.6.0-1", "4.6.0-2", "4.6.0-3", "4.6.0-4"],
    ["4.6.0-1", "4.6.0-2", "4.6.0-3", "4.6.0-4"],
  ),
  point(33, "at least one filter", ["3.8.3-3", "3.10.3-2"], ["3.8.3-2", "3.10.3-2"]),
  point(34, "the codes of SUBACK, one a filter, told", ["3.9.3-1", "3.9.3-2", "3.8.4-5"], ["3.9.3-1"]),
  point(35, "a lower QoS may be granted; the application is told", ["3.8.4-6"], ["3.8.4-7", "3.8.4-8"]),
  point(36, "a message may come before its SUBACK", ["3.8.4-3"], [], true),
  point(
    37,
    "UNSUBACK always comes; messages may come until then",
    ["3.10.4-3", "3.10.4-5"],
    ["3.10.4-3", "3.10.4-5", "3.11.3-1"],
  ),
  point(38, "filters are well-formed, and match as they should", ["4.7.1-2", "4.7.1-3"], ["4.7.1-1", "4.7.1-2"]),
  point(39, "leading wildcards do not match $SYS", ["4.7.2-1"], ["4.7.2-1"]),
  point(
    40,
    "topics: 1 to 65535 bytes, case counts, nothing normalised",
    ["4.7.3-1", "4.7.3-3", "4.7.3-4"],
    ["4.7.3-1", "4.7.3-3", "4.7.3-4"],
  ),
  point(41, "PINGREQ is measured from what was sent last", ["3.1.2-23"], ["3.1.2-20"]),
  point(42, "no PINGRESP in time ends the link", [], [], true),
  point(43, "the server's keep alive replaces ours", [], ["3.1.2-21", "3.2.2-21"]),
  point(
    44,
    "nothing after DISCONNECT; a server's DISCONNECT is understood",
    ["3.14.4-1", "3.14.4-2", "3.14.4-3"],
    ["3.14.4-1", "3.14.4-2", "3.14.4-3"],
  ),
  point(45, "violations end the link; packets are finished or the link goes", ["4.8.0-1"], ["4.13.1-1", "4.13.2-1"]),
  point(46, "what may be sent before CONNACK", [], ["3.1.2-30"], true),
  point(47, "take-over by another client: the backoff grows", ["3.1.4-2"], ["3.1.4-3"]),
  point(48, "the maximum packet size, theirs and ours", [], ["3.2.2-15", "3.1.2-24"]),
  point(
    49,
    "the receive maximum: what takes of the quota and gives back",
    [],
    ["3.3.4-7", "3.3.4-8", "4.9.0-1", "4.9.0-2", "4.9.0-3"],
  ),
  point(50, "the server's maximum QoS and retain are respected", [], ["3.2.2-11", "3.2.2-14"]),
  point(
    51,
    "topic aliases: in their range, never over a reconnect",
    [],
    ["3.3.2-7", "3.3.2-8", "3.3.2-9", "3.3.2-10", "3.2.2-17", "3.2.2-18"],
  ),
  point(52, "a refusing PUBACK or PUBREC ends the exchange", [], ["4.3.3-4", "4.3.3-9", "4.4.0-2"]),
  point(53, "acknowledgements in their short forms", [], [], true),
  point(54, "properties: none is one 0; unknown and repeated ones end the link", [], ["2.2.2-1"], true),
  point(55, "no subscription identifier in our PUBLISH", [], ["3.3.4-6"]),
  point(56, "shared subscriptions: names, No Local, matching", [], ["3.8.3-4", "4.8.2-1", "4.8.2-2"]),
  point(57, "no AUTH without a method", [], ["4.12.0-7"]),
  point(58, "any cut of the stream reads the same", ["7.1.2-1"], ["4.2-1"], true),
];
