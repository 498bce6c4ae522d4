import { describe, expect, it } from "vitest";
import { type ChipOptions, Stm32Chip } from "../../../sim/boot-loader/chip";

function chip(options: Partial<ChipOptions> = {}): { chip: Stm32Chip; said: number[] } {
  const said: number[] = [];
  return { said, chip: new Stm32Chip({ send: (bytes) => said.push(...bytes), after: (_, happen) => happen(), ...options }) };
}

describe("a simulated STM32F405", () => {
  it("starts what BOOT0 says, when reset ends", () => {
    const { chip: board } = chip({ boot0: false });
    expect(board).toMatchObject({ running: "firmware", enteredAt: 0x08000000 });
    board.setBoot0(true);
    expect(board.running).toBe("firmware");
    board.holdReset(true);
    expect(board.running).toBe("nothing");
    board.holdReset(false);
    expect(board.running).toBe("boot loader");
  });

  it("hears nothing in reset, and the boot loader starts anew behind it", () => {
    const { chip: board, said } = chip();
    board.receive(Uint8Array.of(0x7f));
    board.holdReset(true);
    board.receive(Uint8Array.of(0x02, 0xfd));
    board.holdReset(false);
    board.receive(Uint8Array.of(0x7f));
    expect(said).toEqual([0x79, 0x79]);
  });

  it("runs a program that a Go command names", () => {
    const { chip: board } = chip();
    board.receive(Uint8Array.of(0x7f, 0x21, 0xde, 0x08, 0x01, 0, 0, 0x09));
    expect(board).toMatchObject({ running: "firmware", enteredAt: 0x08010000 });
  });

  it("hands its firmware the lines of its console, as they were typed", () => {
    const lines: string[] = [];
    const { chip: board } = chip({ boot0: false, onConsoleLine: (line) => lines.push(line) });
    board.receive(new TextEncoder().encode("\u007fstatux\u007fs\rboot"));
    board.receive(new TextEncoder().encode("loader\r"));
    expect(lines).toEqual(["status", "bootloader"]);
  });
});
