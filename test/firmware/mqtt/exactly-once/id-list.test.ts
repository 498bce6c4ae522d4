import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createIdList,
  idListAdd,
  idListAt,
  idListClear,
  idListCopy,
  idListHas,
  idListIs,
  idListRemove,
} from "../../../../firmware/mqtt/exactly-once/id-list";
import type { IdList } from "../../../../firmware/mqtt/exactly-once";
import { Flow } from "../../../../firmware/mqtt/flow";
import { allocate, u16At } from "../../../../hal/node/native";

const LAST_ID = 65535;
/** As long as in Node: with a mark for each identifier. */
const LONG = 16383;

function expectHeld(list: IdList, ids: readonly number[]): void {
  expect(Array.from({ length: list.count }, (_, place) => idListAt(list, place))).toEqual(ids);
}

function filled(capacity: number, ids: readonly number[]): IdList {
  const list = createIdList(capacity, Flow.AwaitRel);
  for (const id of ids) expect(idListAdd(list, id)).toBe(true);
  return list;
}

type Step = { readonly add: number } | { readonly remove: number } | { readonly removeOldest: true } | { readonly clear: true };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 4, arbitrary: fc.constant({ removeOldest: true } as const) },
  { weight: 1, arbitrary: fc.constant({ clear: true } as const) },
);

/** Does a step to a list and to an array, and holds what the list answers against the array. */
function doBoth(list: IdList, model: number[], what: Step): void {
  if ("clear" in what) {
    idListClear(list);
    model.length = 0;
  } else if ("add" in what) {
    const known = model.includes(what.add);
    expect(idListHas(list, what.add)).toBe(known);
    if (known) return;
    const fits = model.length < list.capacity;
    expect(idListAdd(list, what.add)).toBe(fits);
    if (fits) model.push(what.add);
  } else {
    const id = "remove" in what ? what.remove : (model[0] ?? 1);
    const place = model.indexOf(id);
    expect(idListRemove(list, id)).toBe(place);
    if (place >= 0) model.splice(place, 1);
  }
}

describe("a list of identifiers", () => {
  it.each([["short", 4], ["long, with marks", LONG]])("that is %s holds what an array would, in its order", (_what, capacity) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const list = createIdList(capacity, Flow.AwaitRel);
        const model: number[] = [];
        for (const each of steps) {
          doBoth(list, model, each);
          expectHeld(list, model);
        }
      }),
      { numRuns: capacity === LONG ? 20 : 200, seed: 1 },
    );
  });

  it("takes as many as it has room for, however often the oldest have gone", () => {
    const list = filled(3, [1, 2, 3]);
    for (let id = 4; id < 20; id++) {
      expect(idListAdd(list, id)).toBe(false);
      expect(idListRemove(list, id - 3)).toBe(0);
      expect(idListAdd(list, id)).toBe(true);
      expectHeld(list, [id - 2, id - 1, id]);
    }
  });

  it("goes round the end of its memory in the middle of a row", () => {
    const list = filled(4, [1, 2, 3, 4]);
    expect(idListRemove(list, 1)).toBe(0);
    expect(idListRemove(list, 3)).toBe(1);
    expect(idListAdd(list, 5)).toBe(true);
    expect(idListAdd(list, 6)).toBe(true);
    expectHeld(list, [2, 4, 5, 6]);
  });

  it.each([["short", 4], ["long", LONG]])("that is %s knows the first and the last identifier that there is", (_what, capacity) => {
    const list = filled(capacity, [LAST_ID, 1]);
    expect([1, 2, LAST_ID - 1, LAST_ID].map((id) => idListHas(list, id))).toEqual([true, false, false, true]);
    expect(idListRemove(list, LAST_ID)).toBe(0);
    expect([1, LAST_ID].map((id) => idListHas(list, id))).toEqual([true, false]);
  });

  it("that was emptied takes in what was in it as new", () => {
    const list = filled(LONG, [7, 8, 9]);
    idListClear(list);
    expect([7, 8, 9].map((id) => idListHas(list, id))).toEqual([false, false, false]);
    expect(idListAdd(list, 8)).toBe(true);
    expectHeld(list, [8]);
  });

  it("is copied and compared in its order, also when the oldest have gone", () => {
    const list = filled(4, [1, 300, 20, 4000]);
    idListRemove(list, 1);
    const bytes = allocate(9);
    bytes[8] = 77;
    idListCopy(list, bytes, 2);
    expect([2, 4, 6].map((at) => u16At(bytes, at))).toEqual([300, 20, 4000]);
    expect(bytes[8]).toBe(77);
    idListCopy(list, bytes, 0);
    expect(idListIs(list, bytes, 3)).toBe(true);
    expect(idListIs(list, bytes, 2)).toBe(false);
    idListRemove(list, 20);
    expect(idListIs(list, bytes, 2)).toBe(false);
    expect(idListIs(list, bytes, 3)).toBe(false);
  });
});
