/** The keys of `moth sim` on a terminal: they play the world around the board. */
import { emitKeypressEvents, type Key } from "node:readline";
import type { ReadStream } from "node:tty";
import { FaultPrompt } from "./fault-prompt";

/** What a key can do. */
export interface Player {
  warmer(degrees: number): void;
  moister(percent: number): void;
  /** Lets temperature and humidity drift again. */
  release(): void;
  pressButton(): void;
  /** Sends the order to switch the relay over. Only the embedded broker can. */
  orderRelay(): void;
  togglePower(): void;
  /** Has the module fail as `NAME[@TIME][:ARG]` says, in so much time if it names one. */
  fault(text: string): void;
  help(): void;
  stop(): void;
}

export const KEY_HELP =
  "keys: r order the relay on or off   + - temperature   > < humidity   a let both drift   b button (for boards that read one)   p cut or restore " +
  "the power   f a fault of the module   h help   q stop";

/** Listens to the keys until the function that it gives is called. */
export function listenToKeys(input: ReadStream, output: NodeJS.WritableStream, player: Player): () => void {
  const prompt = new FaultPrompt(output, (fault) => player.fault(fault));
  const pressed = (text: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === "c") {
      player.stop();
      return;
    }
    if (prompt.open) {
      prompt.take(text, key);
      return;
    }
    switch (text) {
      case "f":
        return prompt.start();
      case "+":
        return player.warmer(1);
      case "-":
        return player.warmer(-1);
      case ">":
        return player.moister(5);
      case "<":
        return player.moister(-5);
      case "a":
        return player.release();
      case "b":
        return player.pressButton();
      case "r":
        return player.orderRelay();
      case "p":
        return player.togglePower();
      case "h":
      case "?":
        return player.help();
      case "q":
        return player.stop();
    }
  };
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on("keypress", pressed);
  input.resume();
  return () => {
    input.off("keypress", pressed);
    input.setRawMode(false);
    input.pause();
  };
}
