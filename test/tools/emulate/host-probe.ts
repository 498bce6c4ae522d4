/** Obeys a letter on the console, and says what came of it: to try the places around a board one by one. */
import { allocate } from "#native";
import { type Hal, PinMode } from "../../../hal/hal";
import { createWriter, writeDecimal, type Writer, writeText } from "../../../firmware/core/writer";

const PIN = 2;
const BUTTON = 15;
const SLOT = 3;

function say(hal: Hal, writer: Writer, what: string, value: number): void {
  writer.at = 0;
  writeText(writer, what);
  writeDecimal(writer, value);
  writeText(writer, "\n");
  hal.console.write(writer.bytes, 0, writer.at);
}

function obey(hal: Hal, writer: Writer, letter: number): void {
  switch (letter) {
    case 0x61: // a
      return say(hal, writer, "analog=", hal.analog.read(0));
    case 0x62: // b
      return say(hal, writer, "button=", hal.pins.read(BUTTON) ? 1 : 0);
    case 0x68: // h
      return hal.pins.write(PIN, true);
    case 0x6d: // m
      writer.at = 0;
      for (let i = 0; i < 24; i++) writeText(writer, "to the module ");
      hal.serial.write(writer.bytes, 0, writer.at);
      return;
    case 0x72: // r
      return hal.system.restart();
    case 0x73: // s
      writer.bytes[0] = 77;
      return say(hal, writer, "saved=", hal.storage.save(SLOT, writer.bytes, 0, 1) ? 1 : 0);
  }
}

export default {
  name: "host probe",
  /** @boot */
  boot(hal: Hal) {
    const writer = createWriter(allocate(512));
    const input = allocate(1);
    hal.pins.configure(PIN, PinMode.Output);
    hal.pins.configure(BUTTON, PinMode.InputPullUp);
    const kept = hal.storage.load(SLOT, input, 0, 1);
    say(hal, writer, "kept=", kept === 1 ? input[0] ?? 0 : 0);
    return {
      poll() {
        if (hal.console.read(input, 0, 1) === 1) obey(hal, writer, input[0] ?? 0);
        else if (hal.serial.read(input, 0, 1) === 1) say(hal, writer, "module=", input[0] ?? 0);
        else hal.idle(hal.clock.now() + 1000);
      },
    };
  },
};
