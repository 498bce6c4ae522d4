/** The keys of `moth sim` on a terminal: they play the world around the board. */
import type { ReadStream } from "node:tty";
import { type KeyUser, listenToKeys } from "../key-input";

/** What a key can do. */
export interface Player extends KeyUser {
  warmer(degrees: number): void;
  moister(percent: number): void;
  /** Lets temperature and humidity drift again. */
  release(): void;
  pressButton(): void;
  /** Sends the order to switch the relay over. Only the embedded broker can. */
  orderRelay(): void;
  togglePower(): void;
}

export const KEY_HELP =
  "keys: r order the relay on or off   + - temperature   > < humidity   a let both drift   b button (for boards that read one)   p cut or restore " +
  "the power   f a fault of the module   h help   q stop";

/** Listens to the keys until the function that it gives is called. */
export function listenToPlayer(input: ReadStream, output: NodeJS.WritableStream, player: Player): () => void {
  return listenToKeys(input, output, player, (text) => {
    switch (text) {
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
    }
  });
}
