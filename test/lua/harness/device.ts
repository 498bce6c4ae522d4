/**
 * The Node side of a firmware that runs as compiled Lua while its tests stay in Node: what a test sees of a Lua table,
 * function or buffer, and what Lua sees of a test's objects and functions.
 *
 * - A Lua table is a proxy here: every read and write of a field goes to Lua. A table with entries from 1 on, and an
 *   empty one, looks like an array from 0 on.
 * - A buffer of Lua is a `Uint8Array` over the very same memory.
 * - A `Uint8Array` of the test is copied to Lua when it is handed over. The last few of them are kept alike.
 * - A JavaScript object or array is a table in Lua that asks here for each field; a function is a function.
 */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/** Where the plugin put what this process runs. */
export interface DeviceFiles {
  readonly addon: string;
  readonly bytecode: string;
  readonly map: string;
}

/** A reference to something in Lua, or, below 0, to something of the test. */
type Handle = number;

/** What Lua asks of Node. */
interface Node {
  /** Something of Lua's comes over: 0 a table, 1 a function, or the memory of a buffer. */
  wrap(handle: Handle, kind: number | ArrayBuffer): unknown;
  /** Something of the test's goes over. */
  identify(value: object): Handle;
  get(handle: Handle, key: unknown): unknown;
  set(handle: Handle, key: unknown, value: unknown): void;
  keys(handle: Handle): unknown[];
  length(handle: Handle): number;
  call(handle: Handle, values: unknown[]): unknown;
}

/** What Node asks of Lua: addon.c. */
interface Lua {
  open(bytecode: Uint8Array, node: Node): unknown;
  get(handle: Handle, key: unknown): unknown;
  set(handle: Handle, key: unknown, value: unknown): void;
  call(handle: Handle, values: readonly unknown[]): unknown;
  keys(handle: Handle): (string | number)[];
  length(handle: Handle): number;
  allocate(size: number): unknown;
  forget(handle: Handle): void;
}

function isLua(addon: unknown): addon is Lua {
  return typeof addon === "object" && addon !== null && "open" in addon && "forget" in addon;
}

/** How many buffers of a test are kept alike with their copies in Lua. */
const KEPT_ALIKE = 4;

export type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Leads the lines of the bundle that an error of Lua ends with back to TypeScript. */
function explained(error: unknown, map: () => TraceMap): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "LUA") return error;
  const [message = "", ...lines] = error.message.split("\n");
  const places = lines.map((line) => {
    const { source, line: original } = originalPositionFor(map(), { line: Number(line), column: 0, bias: LEAST_UPPER_BOUND });
    return source === null ? `bundle:${line}` : `${source.replace(/^(\.\.\/)+/, "")}:${original}`;
  });
  // What is a RangeError in Node is one here.
  const Kind = message === "outside of a buffer" ? RangeError : Error;
  const first = places[0] === undefined ? "" : ` (${places[0]})`;
  const explanation = new Kind(`${message}${first}`);
  explanation.stack = [explanation.stack ?? "", ...places.map((place) => `    in Lua at ${place}`)].join("\n");
  return explanation;
}

/** An object that JavaScript only knows by a proxy, and the proxy, as long as somebody holds it. */
function createStandIns(forget: (handle: Handle) => void) {
  const held = new Map<Handle, WeakRef<object>>();
  const handles = new WeakMap<object, Handle>();
  const dropped = new FinalizationRegistry<Handle>((handle) => {
    if (held.get(handle)?.deref() !== undefined) return;
    held.delete(handle);
    forget(handle);
  });
  return {
    find: (handle: Handle): object | undefined => held.get(handle)?.deref(),
    handleOf: (standIn: object): Handle | undefined => handles.get(standIn),
    keep<T extends object>(handle: Handle, standIn: T, owner: object = standIn): T {
      held.set(handle, new WeakRef(standIn));
      handles.set(standIn, handle);
      dropped.register(owner, handle);
      return standIn;
    },
  };
}

export function openDevice(files: DeviceFiles): Modules {
  const addon: unknown = createRequire(import.meta.url)(files.addon);
  if (!isLua(addon)) throw new Error(`${files.addon} is no addon of the tests`);
  const lua = addon;
  let map: TraceMap | undefined;
  const lineMap = (): TraceMap => (map ??= new TraceMap(readFileSync(files.map, "utf8")));

  const standIns = createStandIns((handle) => lua.forget(handle));

  /** The test's own things that Lua knows. */
  const own = new Map<Handle, object>();
  const ownHandles = new WeakMap<object, Handle>();
  let nextOwn = -1;

  /** The objects that a function was read from: one of them as its first argument is its `this`. */
  const owners = new WeakMap<object, WeakSet<object>>();

  /** The last buffers of the test that went over, each with its copy in Lua: made alike whenever a call goes over. */
  const copies = new Map<Uint8Array, Uint8Array>();
  const copyOf = new WeakMap<Uint8Array, Uint8Array>();
  const originalOf = new WeakMap<object, Uint8Array>();

  function keepAlike(original: Uint8Array, copy: Uint8Array): void {
    copies.delete(original);
    copies.set(original, copy);
    const [oldest] = copies.keys();
    if (oldest !== undefined && copies.size > KEPT_ALIKE) copies.delete(oldest);
  }

  function copyIn(): void {
    for (const [original, copy] of copies) copy.set(original);
  }

  function copyOut(): void {
    for (const [original, copy] of copies) original.set(copy);
  }

  /** A call into Lua. */
  function into<T>(call: () => T): T {
    copyIn();
    try {
      return call();
    } catch (error) {
      throw explained(error, lineMap);
    } finally {
      copyOut();
    }
  }

  /** A call out of Lua. */
  function outOf<T>(call: () => T): T {
    copyOut();
    try {
      return call();
    } finally {
      copyIn();
    }
  }

  function ownHandle(value: object): Handle {
    const known = ownHandles.get(value);
    if (known !== undefined) return known;
    const handle = nextOwn--;
    own.set(handle, value);
    ownHandles.set(value, handle);
    return handle;
  }

  function handleOfCopy(original: Uint8Array): Handle {
    let copy = copyOf.get(original);
    if (copy === undefined) {
      const made = lua.allocate(original.length);
      if (!(made instanceof Uint8Array)) throw new Error("Lua made no buffer");
      copy = made;
      copyOf.set(original, copy);
      originalOf.set(copy, original);
    }
    keepAlike(original, copy);
    copy.set(original);
    return standIns.handleOf(copy) ?? 0;
  }

  function ownThing(handle: Handle): object {
    const found = own.get(handle);
    if (found === undefined) throw new Error(`the test has given Lua nothing with the number ${handle}`);
    return found;
  }

  /** A key of Lua's, as the test's object knows it: an array begins at 1 there. */
  function keyFor(thing: object, key: unknown): string {
    if (typeof key === "number" && Array.isArray(thing)) return String(key - 1);
    return String(key);
  }

  const node: Node = {
    wrap(handle, kind) {
      if (handle < 0) return ownThing(handle);
      const known = standIns.find(handle);
      const original = known instanceof Uint8Array ? originalOf.get(known) : undefined;
      if (known instanceof Uint8Array && original !== undefined) {
        keepAlike(original, known);
        return original;
      }
      if (known !== undefined) return known;
      if (kind instanceof ArrayBuffer) return standIns.keep(handle, new Uint8Array(kind), kind);
      return standIns.keep(handle, kind === 1 ? functionOf(handle) : tableOf(handle));
    },
    identify(value) {
      const known = standIns.handleOf(value);
      if (known !== undefined) return known;
      return value instanceof Uint8Array ? handleOfCopy(value) : ownHandle(value);
    },
    get(handle, key) {
      return outOf(() => {
        const thing = ownThing(handle);
        const value: unknown = Reflect.get(thing, keyFor(thing, key));
        if (typeof value === "function") {
          const known = owners.get(value) ?? new WeakSet();
          owners.set(value, known.add(thing));
        }
        return value;
      });
    },
    set(handle, key, value) {
      outOf(() => {
        const thing = ownThing(handle);
        if (!Reflect.set(thing, keyFor(thing, key), value)) throw new TypeError(`Lua cannot write ${String(key)}`);
      });
    },
    keys(handle) {
      return Object.keys(ownThing(handle));
    },
    length(handle) {
      const thing = ownThing(handle);
      return Array.isArray(thing) ? thing.length : 0;
    },
    call(handle, values) {
      return outOf(() => {
        const called = ownThing(handle);
        if (typeof called !== "function") throw new TypeError("Lua called what is no function");
        const [first, ...rest] = values;
        const isMethod = typeof first === "object" && first !== null && owners.get(called)?.has(first) === true;
        const result: unknown = isMethod ? Reflect.apply(called, first, rest) : Reflect.apply(called, undefined, values);
        return result;
      });
    },
  };

  function functionOf(handle: Handle): object {
    // A method is told by its `this`: an object of Lua or of the test that it was called on. A module is none.
    return function call(this: unknown, ...values: unknown[]): unknown {
      const isMethod = this !== undefined && Object.prototype.toString.call(this) !== "[object Module]";
      return into(() => lua.call(handle, isMethod ? [this, ...values] : values));
    };
  }

  function isIndex(key: string): boolean {
    return /^\d+$/.test(key);
  }

  function tableOf(handle: Handle): object {
    const keys = into(() => lua.keys(handle));
    const isArray = keys.every((key) => typeof key === "number");
    const luaKey = (key: string): string | number => (isArray && isIndex(key) ? Number(key) + 1 : key);
    const read = (key: string): unknown => into(() => lua.get(handle, luaKey(key)));
    const target: object = isArray ? [] : {};
    return new Proxy(target, {
      get(_target, key, receiver): unknown {
        if (typeof key === "symbol") return Reflect.get(target, key, receiver);
        if (isArray && key === "length") return lua.length(handle);
        if (isArray && !isIndex(key)) return Reflect.get(target, key, receiver);
        const value = read(key);
        return value === undefined && !isArray ? Reflect.get(target, key, receiver) : value;
      },
      set(_target, key, value) {
        if (typeof key === "symbol") return false;
        if (isArray && key === "length") {
          for (let last = lua.length(handle); last > Number(value); last--) into(() => lua.set(handle, last, undefined));
        } else {
          into(() => lua.set(handle, luaKey(key), value));
        }
        return true;
      },
      has(_target, key) {
        return typeof key === "string" && (Reflect.has(target, key) || read(key) !== undefined);
      },
      deleteProperty(_target, key) {
        if (typeof key === "string") into(() => lua.set(handle, luaKey(key), undefined));
        return true;
      },
      ownKeys() {
        if (!isArray) return into(() => lua.keys(handle)).map(String);
        return [...Array.from({ length: lua.length(handle) }, (_, i) => String(i)), "length"];
      },
      getOwnPropertyDescriptor(_target, key) {
        if (typeof key === "symbol") return undefined;
        if (isArray && key === "length") {
          return { value: lua.length(handle), writable: true, enumerable: false, configurable: false };
        }
        const value = read(key);
        return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
      },
    });
  }

  return plainModules(into(() => lua.open(readFileSync(files.bytecode), node)));
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** What the entry of the bundle exports as a table of modules, read once: modules do not change what they export. */
function plainModules(entry: unknown): Modules {
  const [, modules] = entriesOf(entry).find(([name]) => name === "default") ?? [];
  return Object.fromEntries(entriesOf(modules).map(([name, exported]) => [name, Object.fromEntries(entriesOf(exported))]));
}

let opened: Modules | undefined;

/** What a module of the bundle exports. The first call of a process opens the bundle. */
export function deviceModule(files: DeviceFiles, name: string): Readonly<Record<string, unknown>> {
  opened ??= openDevice(files);
  const module = opened[name];
  if (module === undefined) throw new Error(`the bundle has no module ${name}`);
  return module;
}
