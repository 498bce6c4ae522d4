import { expect, test } from "vitest";
import { FlashController } from "../../../../tools/emulate/qemu/flash-controller";

const [KEYR, SR, CR] = [0x04, 0x0c, 0x10];
const [PG, SER, STRT, WORDS, BSY] = [1, 2, 1 << 16, 2 << 8, 1 << 16];
const LOCK = 0x80000000;
const ADDRESS = 0x080c0000;

function controller(): { flash: FlashController; contents: Uint8Array; wait: (ms: number) => void } {
  let now = 0;
  const contents = new Uint8Array(2 * 1024).fill(0xff);
  const sectors = { first: 10, count: 2, size: 1024, address: ADDRESS };
  const flash = new FlashController(sectors, contents, () => now, () => undefined);
  return { flash, contents, wait: (ms) => void (now += ms) };
}

function unlocked(): ReturnType<typeof controller> {
  const made = controller();
  made.flash.write(KEYR, 0x45670123);
  made.flash.write(KEYR, 0xcdef89ab);
  return made;
}

test("it comes locked, opens with its two keys, and closes again", () => {
  const { flash } = unlocked();
  expect(flash.read(CR)).toBe(0);
  flash.write(CR, LOCK);
  expect(flash.read(CR)).toBe(LOCK);
});

test("a wrong key keeps it locked until the next reset", () => {
  const { flash } = controller();
  flash.write(KEYR, 0x12345678);
  flash.write(KEYR, 0x45670123);
  flash.write(KEYR, 0xcdef89ab);
  expect(flash.read(CR)).toBe(LOCK);
  flash.reset();
  flash.write(KEYR, 0x45670123);
  flash.write(KEYR, 0xcdef89ab);
  expect(flash.read(CR)).toBe(0);
});

test("programming only turns ones into zeros", () => {
  const { flash, contents } = unlocked();
  flash.write(CR, PG | WORDS);
  flash.program(ADDRESS, 0xff00f0f0);
  flash.program(ADDRESS, 0x12345678);
  expect([...contents.subarray(0, 4)]).toEqual([0x70, 0x50, 0x00, 0x12]);
  expect(flash.read(SR)).toBe(0);
});

test("a store without leave, in another width, or outside the storage sets the error that the manual names", () => {
  const { flash } = controller();
  flash.program(ADDRESS, 0);
  expect(flash.read(SR)).toBe(1 << 7);
  const open = unlocked().flash;
  open.write(CR, PG);
  open.program(ADDRESS, 0);
  expect(open.read(SR)).toBe(1 << 6);
  open.write(SR, 1 << 6);
  open.write(CR, PG | WORDS);
  open.program(0x08000000, 0);
  expect(open.read(SR)).toBe(1 << 4);
});

test("an erase takes its time and then the sector is all ones; a power cut in it leaves neither", () => {
  const { flash, contents, wait } = unlocked();
  contents.fill(0x5a);
  flash.write(CR, WORDS | SER | (11 << 3) | STRT);
  expect(flash.read(SR)).toBe(BSY);
  wait(100);
  expect(flash.read(SR)).toBe(0);
  expect(contents.subarray(1024).every((byte) => byte === 0xff)).toBe(true);
  expect(contents.subarray(0, 1024).every((byte) => byte === 0x5a)).toBe(true);
  flash.write(CR, WORDS | SER | (10 << 3) | STRT);
  wait(1);
  flash.powerGone();
  expect(new Set(contents.subarray(0, 1024)).size).toBe(2);
});
