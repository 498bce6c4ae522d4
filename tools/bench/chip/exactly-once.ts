/**
 * The same client with QoS 2 in it: what a message costs from PUBLISH to PUBCOMP, each way. A program of its own, so that
 * the figures of the other cases are those of a client without.
 */
import type { Bytes, Hal } from "../../../hal/hal";
import { PinMode } from "../../../hal/hal";
import { div } from "#native";
import { ClientState } from "../../../firmware/mqtt/client-state";
import { createExactlyOnce } from "../../../firmware/mqtt/exactly-once/create";
import { createPublication, type Publication } from "../../../firmware/mqtt/publication";
import { bytesOf, connect, createIncoming, createRig, publish, receive, type Rig, sendRun, TOPIC } from "./application";
import { EXACT_CASES, MARK_PIN, ROUNDS } from "./cases";

interface ExactRig {
  readonly rig: Rig;
  readonly publication: Publication;
  readonly pubrec: Bytes;
  readonly pubcomp: Bytes;
  readonly incoming: Bytes;
  readonly incomingLength: number;
  readonly pubrel: Bytes;
}

/** @boot */
function createExactRig(hal: Hal): ExactRig {
  const incoming = createIncoming(2);
  return {
    rig: createRig(hal, createExactlyOnce({ sending: 8, receiving: 8 })),
    publication: createPublication(TOPIC, 2, false, 64),
    pubrec: bytesOf(0x50, 2, 0, 0),
    pubcomp: bytesOf(0x70, 2, 0, 0),
    incoming,
    incomingLength: incoming.length,
    // The identifier that is in every incoming message.
    pubrel: bytesOf(0x62, 2, 0, 7),
  };
}

/** The broker says this of the message that was published last. */
function answer(rig: Rig, packet: Bytes): void {
  const id = rig.client.lastId;
  packet[2] = div(id, 256);
  packet[3] = id & 255;
  receive(rig, packet, 4);
}

function oneRound(exact: ExactRig, which: number): void {
  const rig = exact.rig;
  if (which === 1) {
    publish(rig, exact.publication);
    answer(rig, exact.pubrec);
    sendRun(rig.link, 0);
    answer(rig, exact.pubcomp);
  } else if (which === 2) {
    receive(rig, exact.incoming, exact.incomingLength);
    sendRun(rig.link, 0);
    receive(rig, exact.pubrel, 4);
    sendRun(rig.link, 0);
  }
}

function measure(exact: ExactRig, which: number): void {
  exact.rig.hal.pins.write(MARK_PIN, true);
  for (let i = 0; i < ROUNDS; i++) oneRound(exact, which);
  exact.rig.hal.pins.write(MARK_PIN, false);
}

export default {
  name: "chip bench of QoS 2",
  /** @boot */
  boot(hal: Hal) {
    const exact = createExactRig(hal);
    exact.rig.suback[4] = 2;
    hal.pins.configure(MARK_PIN, PinMode.Output);
    let done = false;
    return {
      poll() {
        if (!done) {
          done = true;
          connect(exact.rig);
          if (exact.rig.client.state === ClientState.Online) {
            for (let which = 0; which < EXACT_CASES; which++) measure(exact, which);
          }
        }
        hal.idle(hal.clock.now() + 1000);
      },
    };
  },
};
