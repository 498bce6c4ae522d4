import { describe, expect, it } from "vitest";
import { classify, EspLine, isOwnLink, linkOf, numberAt } from "../../../firmware/wifi/esp-at-lines";

/** Classifies a line that lies in the middle of a buffer, between bytes that must not matter. */
function kind(line: string): EspLine {
  const bytes = Buffer.from(`OK${line}OK`, "latin1");
  return classify(bytes, 2, bytes.length - 4);
}

const KNOWN: readonly (readonly [string, EspLine])[] = [
  ["OK", EspLine.Ok],
  ["ERROR", EspLine.Error],
  ["FAIL", EspLine.Fail],
  ["SEND OK", EspLine.SendOk],
  ["SEND FAIL", EspLine.SendFail],
  ["SEND Canceled", EspLine.SendCanceled],
  ["SEND CANCELLED", EspLine.SendCanceled],
  ["busy p...", EspLine.Busy],
  ["busy s...", EspLine.Busy],
  ["ready", EspLine.Ready],
  ["WIFI CONNECTED", EspLine.WifiConnected],
  ["WIFI GOT IP", EspLine.WifiGotIp],
  ["WIFI DISCONNECT", EspLine.WifiDisconnect],
  ["0,CONNECT", EspLine.Connect],
  ["4,CONNECT", EspLine.Connect],
  ["0,CLOSED", EspLine.Closed],
  ["+IPD,0,1460", EspLine.DataWaiting],
  ["+CIPRECVLEN:100,0,0,0,0", EspLine.ReceiveLength],
  ["+CIPRECVLEN:-1,-1,-1,-1,-1", EspLine.ReceiveLength],
  ["+CWJAP:2", EspLine.Network],
  ['+CIPSTATE:0,"TCP","192.168.1.2",1883,50123,0', EspLine.Links],
  ['+CIPSTATUS:0,"TCP","192.168.1.2",1883,50123,0', EspLine.Links],
  ["STATUS:3", EspLine.Links],
  ["Recv 145 bytes", EspLine.PayloadTaken],
  ["ATE0", EspLine.Echo],
  ['AT+CIPSTART=0,"TCP","broker",1883,60', EspLine.Echo],
];

const OTHER = [
  "OK ",
  "OKAY",
  "O",
  "NOT OK",
  "ok",
  "ERROR!",
  "SEND OKAY",
  "already",
  "ready.",
  "not ready",
  "FAILED",
  "WIFI GOT IPv6 LL",
  "WIFI GOT IPv6 GL",
  "WIFI DISCONNECTED",
  "0,CLOSED!",
  "0,CONNECT FAIL",
  "10,CLOSED",
  "CLOSED",
  "0 CLOSED",
  "+CIPRECVDATA:2,OK",
  "+CWSTATE:2,\"0,CLOSED\"",
  "+TIME_UPDATED",
  "ERR CODE:0x010b0000",
  "+ERRNO:0x68",
  "Will force to restart!!!",
  "ALREADY CONNECTED",
  "link is not valid",
  "no ip",
  "DNS Fail",
  "UNLINK",
  "No AP",
  "DHCP TIMEOUT",
  "Have 5 Connections",
  "+QUITT",
  "ets Jan  8 2013,rst cause:2, boot mode:(3,6)",
  "\xff\x00OK",
];

describe("the classifier of module lines", () => {
  it.each(KNOWN)("knows %s", (line, expected) => {
    expect(kind(line)).toBe(expected);
  });

  it.each(OTHER)("does not take %s for anything that it is not", (line) => {
    expect(kind(line)).toBe(EspLine.Other);
  });

  it("tells the link of an event, and that there is none", () => {
    expect(linkOf(Buffer.from("3,CLOSED"), 0)).toBe(3);
    expect(linkOf(Buffer.from("x,CLOSED"), 0)).toBe(-1);
  });
});

describe("numbers in a line", () => {
  const at = (line: string, prefix: number, index: number): number =>
    numberAt(Buffer.from(line), 0, line.length, prefix, index);

  it("are found by their place", () => {
    expect(at("+IPD,0,1460", 5, 0)).toBe(0);
    expect(at("+IPD,0,1460", 5, 1)).toBe(1460);
    expect(at("+CIPRECVLEN:7,0,0,0,9", 12, 0)).toBe(7);
    expect(at("+CIPRECVLEN:7,0,0,0,9", 12, 4)).toBe(9);
  });

  it("are -1 where firmware leaves a blank, writes -1, or the line ends", () => {
    expect(at("+CIPRECVLEN:,,,,", 12, 0)).toBe(-1);
    expect(at("+CIPRECVLEN:-1,-1", 12, 0)).toBe(-1);
    expect(at("+IPD,0", 5, 1)).toBe(-1);
    expect(at("+IPD,", 5, 0)).toBe(-1);
    expect(at("+IPD,0,5:hello", 5, 1)).toBe(-1);
    expect(at("+IPD,0,99999999999", 5, 1)).toBe(-1);
  });
});

describe("a line about a link that there is", () => {
  it.each([
    ['+CIPSTATE:0,"TCP","192.168.1.2",1883,50123,0', true],
    ['+CIPSTATUS:0,"SSL","192.168.1.2",8883,50123,0', true],
    ['+CIPSTATE:0,"', true],
    ['+CIPSTATE:0,', false],
    ["+CIPSTATUS:0,CLOSED", false],
    ['+CIPSTATE:1,"TCP","192.168.1.2",1883,50123,0', false],
    ["+CIPSTATE", false],
    ["STATUS:3", false],
  ])("%s is of ours: %s", (line, ours) => {
    const bytes = Buffer.from(`${line}"OK`, "latin1");
    expect(isOwnLink(bytes, 0, bytes.length - 3)).toBe(ours);
  });
});
