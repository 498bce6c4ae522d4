/** Whether what is written there may be coloured. */
import pc from "picocolors";

/** Only on a terminal: where `CI` is set, picocolors would colour files and pipes too. `NO_COLOR` turns colours off. */
export function isColorful(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && pc.isColorSupported;
}
