import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Image, readImage } from "../../../tools/flash/image";
import { sectorsFor } from "../../../tools/flash/stm32f405";
import { readUf2 } from "../../../tools/flash/uf2";
import { program } from "./bench";
import { type Block, uf2 } from "./uf2-file";

const MB = 1024 * 1024;

function file(name: string, bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "moth-image-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function read(name: string, bytes: Uint8Array, board?: string): Image {
  return readImage(file(name, bytes), board);
}

describe("an image", () => {
  it("says by itself which board it is for", () => {
    expect(read("app-pico.uf2", uf2(4))).toMatchObject({
      board: "pico", chip: "rp2040", name: "app-pico.uf2", uf2: { blocks: 4, size: 1024, from: 0x10000000, to: 0x10000400 },
    });
    expect(read("app.bin", program(600))).toMatchObject({ board: "stm32f405", bytes: program(600) });
  });

  it("for an STM32F405 is filled up to whole words", () => {
    expect(read("app.bin", program(601)).bytes).toEqual(Uint8Array.of(...program(601), 0xff, 0xff, 0xff));
  });

  it("that fills the flash up to the settings is taken, one byte more is not", () => {
    expect(read("app.bin", program(768 * 1024)).bytes).toHaveLength(768 * 1024);
    expect(() => read("app.bin", program(768 * 1024 + 1))).toThrow(
      /^app\.bin: too big: 786,433 bytes, at most 786,432 bytes fit below the board's settings$/,
    );
    expect(sectorsFor(768 * 1024).map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sectorsFor(768 * 1024).at(-1)).toMatchObject({ from: 0x080a0000, size: 128 * 1024 });
  });

  it.each([
    ["missing", undefined, undefined, /^cannot read .*: no such file or directory$/],
    ["app.bin", new Uint8Array(0), undefined, "app.bin: the file is empty: build it again"],
    ["app.elf", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1), undefined, "app.elf: an ELF file is for debuggers: give the .uf2"],
    ["app.uf2", uf2(2), "stm32f405", "app.uf2: a UF2 file is for the Pico: the stm32f405 takes the .bin"],
    ["app.uf2", program(600), undefined, "app.uf2: no UF2 file: its magic numbers are wrong"],
    ["app.bin", program(600), "pico", "app.bin: the pico takes a UF2 file: give the .uf2 beside it"],
    ["app.bin", program(600), "host", "--board host: it runs on this computer: nothing to flash"],
    ["app.bin", program(600), "esp32", /^there is no board esp32: choose one of .*pico/],
    ["app.bin", new Uint8Array(600).fill(1), undefined, "app.bin: no image for the STM32F405: it does not begin with a vector"],
    ["app.bin", program(600).subarray(0, 4), undefined, "no image for the STM32F405"],
  ] as const)("is refused: %s", (name, bytes, board, message) => {
    const path = bytes === undefined ? "/nowhere/app.bin" : file(name, bytes);
    expect(() => readImage(path, board)).toThrow(message);
  });

  it.each([
    ["the stack outside of the RAM", 0, 0x20020004],
    ["an entry that is no Thumb code", 4, 0x08000008],
    ["an entry behind the image", 4, 0x08001001],
    ["an entry in the flash of a Pico", 4, 0x10000101],
  ])("for an STM32F405 is not one with %s", (_, at, word) => {
    const bytes = program(600);
    new DataView(bytes.buffer).setUint32(at, word, true);
    expect(() => read("app.bin", bytes)).toThrow("no image for the STM32F405");
  });

  it("for an STM32F405 may have its stack in the core-coupled memory", () => {
    const bytes = program(600);
    new DataView(bytes.buffer).setUint32(0, 0x10010000, true);
    expect(read("app.bin", bytes).board).toBe("stm32f405");
  });
});

describe("the note that the build leaves beside an image", () => {
  function noted(name: string, bytes: Uint8Array, note: string): string {
    const path = file(name, bytes);
    writeFileSync(path.replace(/\.\w+$/, ".json"), note);
    return path;
  }

  it("names its board", () => {
    expect(readImage(noted("app-pyboard.bin", program(600), '{"board":"pyboard"}')).board).toBe("pyboard");
    expect(readImage(noted("app.uf2", uf2(2), '{"board":"pico"}')).board).toBe("pico");
  });

  it("keeps it from a board with the same chip and other parts", () => {
    const path = noted("app-pyboard.bin", program(600), '{"board":"pyboard"}');
    expect(readImage(path, "pyboard").board).toBe("pyboard");
    expect(() => readImage(path, "feather-stm32f405")).toThrow(
      "app-pyboard.bin: built for another board, pyboard: build it with --board feather-stm32f405",
    );
  });

  it.each(["", "[]", "null", '{"board":7}', "{"])("may be anything: %j", (note) => {
    expect(readImage(noted("app.bin", program(600), note)).board).toBe("stm32f405");
  });
});

describe("a UF2 file", () => {
  it.each<[string, number, Block, string]>([
    ["no block", 1, { magic: 0 }, "block 1: no UF2 block (wrong magic numbers)"],
    ["a block without its end", 2, { end: 0 }, "block 2: no UF2 block (wrong magic numbers)"],
    ["a comment", 1, { flags: 0x2001 }, "block 1: is not meant for flash"],
    ["no family", 0, { flags: 0 }, "block 0: does not say which chip it is for"],
    ["a short payload", 1, { payload: 128 }, "block 1: carries 128 bytes, the RP2040 takes 256"],
    ["blocks out of order", 1, { number: 2 }, "block 1: says that it is number 2"],
    ["blocks missing", 1, { total: 9 }, "block 1: says that there are 9 blocks, the file has 3"],
    ["an address in RAM", 1, { target: 0x20000000 }, "block 1: 0x20000000 is not in the flash"],
    ["an odd address", 1, { target: 0x10000180 }, "block 1: 0x10000180 is no multiple of 256"],
    ["an address twice", 1, { target: 0x10000000 }, "block 1: 0x10000000 comes twice"],
    ["no beginning", 0, { target: 0x10000300 }, "begins at 0x10000100, not at the start of the flash, 0x10000000"],
  ])("with %s is refused", (_, index, block, message) => {
    expect(() => readUf2(uf2(3, { [index]: block }), "a.uf2", 2 * MB)).toThrow(`a.uf2: ${message}: build it again`);
  });

  it.each([[0xe48bff59, "RP2350"], [0x57755a57, "STM32F4"], [0x12345678, "a chip that Moth does not know"]])(
    "for another chip (%i) is refused", (family, name) => {
      expect(() => readUf2(uf2(3, { 0: { family } }), "a.uf2", 2 * MB)).toThrow(
        `a.uf2: an image for another chip: family 0x${family.toString(16)} (${name}), a Pico needs 0xe48bff56 (RP2040)`,
      );
    },
  );

  it("that was cut off, or is empty, is refused", () => {
    expect(() => readUf2(uf2(3).subarray(0, 1000), "a.uf2", MB)).toThrow("1000 bytes are no whole number of UF2 blocks of 512");
    expect(() => readUf2(new Uint8Array(0), "a.uf2", MB)).toThrow("0 bytes are no whole number");
  });

  it("that reaches the settings is too big", () => {
    expect(() => readUf2(uf2(5), "a.uf2", 1024)).toThrow("a.uf2: too big: reaches 0x10000500, firmware may reach 0x10000400");
    expect(readUf2(uf2(4), "a.uf2", 1024)).toMatchObject({ blocks: 4 });
  });
});
