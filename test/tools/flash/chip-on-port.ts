/** The simulated STM32F405 in real time, behind a serial port: what an adapter with a board on it is to this computer. */
import { onTestFinished } from "vitest";
import { NodeSerial } from "../../../hal/node/serial";
import { type ChipOptions, Stm32Chip } from "../../../sim/boot-loader/chip";

const RING = 65535;

/** A chip at the far end of a line. It lives until the end of the test. */
export async function attachChip(path: string, options: Partial<ChipOptions> = {}): Promise<Stm32Chip> {
  const port = await NodeSerial.open({ path, baud: 115200, receiveRing: RING, sendRing: RING });
  onTestFinished(() => port.close());
  const chip = new Stm32Chip({
    send: (bytes) => port.write(bytes, 0, bytes.length),
    after: (ms, happen) => {
      if (ms === 0) happen();
      else setTimeout(happen, ms).unref();
    },
    ...options,
  });
  const piece = new Uint8Array(1024);
  port.onReceive = () => {
    for (let count = take(); count > 0; count = take()) chip.receive(piece.subarray(0, count));
  };
  const take = (): number => port.read(piece, 0, piece.length);
  return chip;
}
