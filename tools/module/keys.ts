/** The keys of `moth module` on a terminal. */
import type { ReadStream } from "node:tty";
import { listenToKeys } from "../key-input";
import type { ServedModule } from "./served-module";

/** Listens to the keys until the function that it gives is called. */
export function listen(input: ReadStream, output: NodeJS.WritableStream, served: ServedModule, help: () => void): () => void {
  const user = { fault: (text: string) => served.fault(text), help, stop: () => served.stop() };
  return listenToKeys(input, output, user, (text) => {
    switch (text) {
      case "r":
        return served.reset();
      case "p":
        return served.togglePower();
    }
  });
}
