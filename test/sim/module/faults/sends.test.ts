import { describe, expect } from "vitest";
import type { Bench } from "../bench";
import { inEach } from "./table";

const TEXT = "0123456789";

/** Sends {@link TEXT} on the one link, and gives what is said from its last byte on. */
function send(bench: Bench, ms = 100): string {
  bench.ask(`AT+CIPSEND=${TEXT.length}`);
  bench.write(TEXT);
  return bench.wait(ms);
}

describe("a payload", () => {
  inEach("tx.drop", "lacks bytes: the module waits for them, and takes what comes next for them", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("tx.drop", 2);
    expect(send(bench, 10_000)).toBe("");
    expect(bench.peer.text).toBe("");
    bench.write("XY");
    expect(bench.wait(100)).toBe(its.received(10) + its.sendOk);
    expect(bench.peer.text).toHaveLength(10);
    expect(bench.peer.text.endsWith("XY")).toBe(true);
    expect(TEXT).toContain(bench.peer.text.slice(0, 1));
  });

  inEach("tx.overrun", "is longer than the module has understood: the rest is thrown away", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("tx.overrun", 4);
    const said = send(bench);
    expect(said).toContain(its.received(6));
    // AT 1.7 refuses lines, and there is no line end in the rest.
    expect(said.includes(its.busyProcessing)).toBe(its.name !== "nonos-1.7");
    expect(said).toContain(its.sendOk);
    expect(bench.peer.text).toBe("012345");
    expect(send(bench)).toBe(its.received(10) + its.sendOk);
  });

  inEach("tx.overrun", "waits for one that is longer than the surplus", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("tx.overrun", 10);
    expect(send(bench)).toBe(its.received(10) + its.sendOk);
  });

  inEach("send.plus3", "is cancelled in the middle, and its rest is no command", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("send.plus3");
    expect(send(bench)).toBe(its.sendCancelled);
    expect(bench.ask("")).toBe(its.error);
    expect(bench.peer.text).toBe("");
    expect(send(bench)).toBe(its.received(10) + its.sendOk);
  });
});

describe("a send", () => {
  inEach("send.silent_window", "is silent for long: a command that comes meanwhile is lost or refused", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("send.silent_window", 500);
    expect(send(bench)).toBe(its.received(10));
    expect(bench.ask("AT")).toBe(its.busySending);
    expect(bench.wait(500)).toBe(its.sendOk);
  });

  inEach("send.ok_late", "is reported late", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("send.ok_late", 9000);
    expect(send(bench, 8900)).toBe(its.received(10));
    expect(bench.peer.text).toBe(TEXT);
    expect(bench.wait(300)).toBe(its.sendOk);
  });

  inEach("send.ok_never", "is never reported, and nothing else is heard", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("send.ok_never");
    expect(send(bench, 100_000)).toBe(its.received(10));
    expect(bench.ask("AT", 1000)).toBe(its.busySending);
    bench.module.setReset(true);
    bench.module.setReset(false);
    expect(bench.wait(500)).toContain("ready");
  });

  inEach("send.fail", "fails, and part of it has gone out", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("send.fail", 70);
    expect(send(bench)).toBe(its.received(10) + its.sendFail);
    expect(bench.peer.text).toBe("0123456");
    bench.module.faults.strike("send.fail", 0);
    expect(send(bench)).toBe(its.received(10) + its.sendFail);
    expect(bench.peer.text).toBe("0123456");
  });

  inEach("send.fail_then_ok", "fails, and then has succeeded after all", (its) => {
    const bench = its.connected();
    bench.module.faults.strike("send.fail_then_ok", 300);
    expect(send(bench, 200)).toBe(its.received(10) + its.sendFail);
    expect(bench.wait(300)).toBe(its.sendOk);
    expect(bench.peer.text).toBe(TEXT);
  });

  inEach("send.closed_mid", "loses its link while it goes out", (its) => {
    const bench = its.connected({ multiple: true });
    bench.module.faults.strike("send.closed_mid");
    bench.ask("AT+CIPSEND=0,10");
    bench.write(TEXT);
    expect(bench.wait(100)).toBe(`${its.received(10)}0,CLOSED\r\n${its.sendFail}`);
    expect(bench.peer).toMatchObject({ text: "", closed: true });
  });

  inEach("link.slow_peer", "takes seconds, in which nothing else is told", (its) => {
    const bench = its.connected({ multiple: true, passive: true });
    bench.module.faults.strike("link.slow_peer", 4000);
    bench.ask("AT+CIPSEND=0,10");
    bench.write(TEXT);
    expect(bench.wait(100)).toBe(its.received(10));
    bench.peer.socket.write(Buffer.from("hello"));
    expect(bench.wait(3800)).toBe("");
    const said = bench.wait(300);
    expect(said).toContain(its.sendOk);
    expect(said).toContain(its.passiveNotice("0,", 5));
    expect(bench.peer.text).toBe(TEXT);
  });
});
