import { SleepMode, type Personality } from "../personality";
import type { ResetCause } from "../observer";
import { sharedCommands, sharedStrings } from "./shared";

/** The ROM's rate with the 26 MHz crystal that modules have. */
const ROM_BAUD = 74_880;

/** `rst cause` as the ROM numbers it. */
const CAUSES: Record<ResetCause, number> = { power: 1, pin: 2, wake: 5, command: 2, exception: 3, crash: 4 };

/**
 * NonOS AT 1.7 on an ESP8266. Commands, boot text and remarks to people share one UART; the receive task takes byte
 * by byte, and SEND OK waits for the peer.
 */
export const nonos: Personality = {
  name: "nonos-1.7",
  chip: "ESP8266",
  strings: {
    ...sharedStrings,
    joinError: "\r\nFAIL\r\n",
    prompt: ["\r\nOK\r\n", "> "],
    sendCancelled: "",
    longSendCancelled: "",
    busySending: "\r\nbusy s...\r\n",
    forcedRestart: "",
    timeUpdated: "",
    version:
      "AT version:1.7.4.0(May 11 2020 19:13:04)\r\n" +
      "SDK version:3.0.4(9532ceb)\r\n" +
      "compile time:May 27 2020 10:12:17\r\n" +
      "Bin version(Wroom 02):1.7.4\r\n",
    errorCode: () => "",
    network: (name, { ssid, bssid, channel, rssi }) => `${name}:"${ssid}","${bssid}",${channel},${rssi}\r\n`,
    noNetwork: "No AP\r\n",
    activeTail: "",
    passiveHead: (count) => `\r\n+CIPRECVDATA,${count}:`,
    closedLength: "0",
    peer: (ip, port) => `,${ip},${port}`,
    showPeer: (on) => `+CIPDINFO:${on ? "TRUE" : "FALSE"}`,
    domain: (ip) => `+CIPDOMAIN:${ip}`,
    ping: (ms) => `+${ms}`,
    pingTimeout: "+timeout",
    nameServers: (name, _manual, addresses) => addresses.map((address) => `${name}:${address}\r\n`).join(""),
  },
  remarks: {
    alreadyConnected: "ALREADY CONNECTED\r\n",
    linkNotValid: "link is not valid\r\n",
    noIp: "no ip\r\n",
    dnsFail: "DNS Fail\r\n",
    unlink: "UNLINK\r\n",
    linkTypeError: "Link type ERROR\r\n",
    idError: "ID ERROR\r\n",
    ipError: "IP ERROR\r\n",
    entryError: "ENTRY ERROR\r\n",
    missingParameter: "Miss param\r\n",
    tooLong: "too long\r\n",
    single: "MUX=0\r\n",
    multiple: "MUX=1\r\n",
    transparent: "IPMODE=1\r\n",
    linkIsBuilt: "link is builded\r\n",
    serverIsOn: "CIPSERVER must be 0\r\n",
    overflow: "RX OVF!\r\n",
  },
  limits: {
    line: 256,
    capitals: true,
    partialLine: 256,
    ssid: 32,
    password: 64,
    host: 64,
    links: 5,
    send: 2048,
    activePiece: 1460,
    transparentPacket: 2_048,
    receiveWindow: 5760,
    sendBuffer: 2920,
    startTimeout: 0,
    leastBaud: 110,
    mostBaud: 4_608_000,
    defaultBaud: 115_200,
    // There are no rings: whoever prints fills the hardware's FIFO, and waits for it; and a task empties the other one.
    receiveRing: 0,
    transmitRing: 128,
    fifoThreshold: 16,
    idleSymbols: 2,
  },
  timings: {
    boot: [280, 340],
    uartReady: [120, 160],
    restart: [20, 30],
    sleepClock: [0.95, 1.05],
    command: [1, 3],
    prompt: [5, 20],
    betweenWrites: [0.1, 1],
    received: [2, 5],
    sent: [0.5, 2],
    associate: [1_000, 2_500],
    dhcp: [500, 1_500],
    wrongPassword: [2_800, 5_000],
    accessPointNotFound: [3_800, 5_000],
    beaconLoss: [3_000, 6_000],
    connectTimeout: [9_500, 18_000],
    handshake: [2_000, 4_000],
    quit: [100, 900],
    scan: [2_000, 3_000],
    pingTimeout: [4_000, 4_200],
  },
  habits: {
    receiver: "bytes",
    replies: "pieces",
    printingBlocks: "everything",
    sendOk: "acknowledged",
    oneSocketTask: false,
    overtaking: 0.2,
    withholdsClosed: false,
    tellsClosedAtLoss: 0.3,
    closedAtFailedStart: { side: "before", chance: 1 },
    sleepModes: [SleepMode.Off, SleepMode.Light, SleepMode.Modem],
    // "Modem-sleep is the default sleep mode": ESP8266 AT Instruction Set 3.0.
    sleepAtBoot: 2,
    defaultFlow: 0,
    forgetsUartDefault: true,
    dhcp: "which",
    timeZone: { least: -11, most: 13, minutes: false },
    tellsBaud: (baud) => baud,
    tls: {
      perLink: false,
      links: 1,
      store: "burnt",
      tellsMissing: false,
      verifiesName: "never",
      passive: false,
      verifiesTime: false,
    },
    keepsTime: false,
    heap: [28_904],
    boot: {
      // After a reset that software made, the ROM leaves the rate as it is.
      baud: (cause) => (cause === "command" || cause === "exception" ? 0 : ROM_BAUD),
      text: bootText,
      noise: (cause) => (cause === "crash" ? [1, 6] : [0, 0]),
      takeOver: [0, 0],
    },
  },
  commands: [
    ...sharedCommands, "+CWMODE_CUR", "+CWMODE_DEF", "+CWJAP_CUR", "+CWJAP_DEF", "+CIPSTA_CUR", "+CIPSTA_DEF",
    "+CIPSSLSIZE", "+SYSMSG_CUR", "+SYSMSG_DEF", "+CWDHCP_CUR", "+CWDHCP_DEF", "+CIPDNS_CUR", "+CIPDNS_DEF",
  ],
};

/** What the ROM and the second boot loader say, about 400 bytes. */
function bootText(cause: ResetCause): string {
  return `\r\n ets Jan  8 2013,rst cause:${CAUSES[cause]}, boot mode:(3,6)\r\n\r\n` +
    "load 0x40100000, len 1856, room 16 \r\ntail 0\r\nchksum 0x63\r\n" +
    "load 0x3ffe8000, len 776, room 8 \r\ntail 0\r\nchksum 0x02\r\n" +
    "load 0x3ffe8310, len 552, room 8 \r\ntail 0\r\nchksum 0x79\r\ncsum 0x79\r\n\r\n" +
    "2nd boot version : 1.7(5d6877e)\r\n  SPI Speed      : 40MHz\r\n  SPI Mode       : QIO\r\n" +
    "  SPI Flash Size & Map: 16Mbit(1024KB+1024KB)\r\njump to run user1 @ 1000\r\n\r\n";
}
