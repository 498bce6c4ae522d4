import { fellOver } from "../observer";
import { SleepMode, type Personality } from "../personality";
import { espAtCommands, espAtStrings } from "./shared";

/** ESP-AT 5.0 on an ESP32-C3. Strings, states and limits as in Espressif's `libesp32c3_at_core` and its defaults. */
export const espAt5: Personality = {
  name: "esp-at-5",
  chip: "ESP32-C3",
  strings: {
    ...espAtStrings,
    prompt: ["\r\nOK\r\n\r\n>"],
    version:
      "AT version:5.0.1.0(1f2e3d4 - ESP32C3 - Jul 24 2026 09:54:05)\r\n" +
      "SDK version:v5.4.2\r\n" +
      "compile time(8a7b6c5):Jul 24 2026 10:02:11\r\n" +
      "Bin version:v5.0.1.0(MINI-1)\r\n",
    closedLength: "0",
    errno: (code) => `+ERRNO:0x${code.toString(16)}\r\n`,
  },
  remarks: {},
  limits: {
    line: 256,
    capitals: false,
    partialLine: 256,
    ssid: 32,
    password: 64,
    host: 64,
    links: 5,
    send: 8192,
    activePiece: 2920,
    transparentPacket: 2_920,
    receiveWindow: 5760,
    sendBuffer: 5760,
    startTimeout: 60_000,
    leastBaud: 80,
    mostBaud: 5_000_000,
    defaultBaud: 115_200,
    receiveRing: 2048,
    transmitRing: 8192,
    fifoThreshold: 100,
    idleSymbols: 10,
  },
  timings: {
    boot: [290, 320],
    uartReady: [60, 80],
    restart: [20, 22],
    command: [1, 2],
    prompt: [4, 8],
    betweenWrites: [0, 0.4],
    received: [3.5, 4.5],
    sent: [4, 8],
    associate: [800, 1700],
    dhcp: [400, 800],
    wrongPassword: [2_800, 3_200],
    accessPointNotFound: [3_800, 4_200],
    beaconLoss: [3_000, 6_000],
    connectTimeout: [9_500, 10_500],
    handshake: [500, 1_200],
    quit: [100, 900],
    scan: [1_500, 2_500],
    pingTimeout: [4_000, 4_200],
  },
  habits: {
    receiver: "chunks",
    replies: "whole",
    printingBlocks: "its task",
    sendOk: "copied",
    overtaking: 0.2,
    withholdsClosed: true,
    tellsClosedAtLoss: 1,
    closedAtFailedStart: { side: "after", chance: 0 },
    sleepModes: [SleepMode.Off, SleepMode.Modem, SleepMode.Light, SleepMode.ModemListen],
    defaultFlow: 1,
    forgetsUartDefault: false,
    dhcp: "bits",
    timeZone: { least: -12, most: 14, minutes: true },
    // The divider of the ESP32 makes 115201 of 115200, and the query tells the truth.
    tellsBaud: (baud) => (baud === 115_200 ? 115_201 : baud),
    tls: {
      perLink: true,
      links: 5,
      store: "manufacturing",
      tellsMissing: true,
      verifiesName: "host",
      verifiesTime: true,
    },
    keepsTime: true,
    heap: [168_352, 151_904],
    boot: {
      baud: () => 0,
      // The log has UART 0, the host UART 1; only a module that falls over leaves the pin floating.
      text: () => "",
      noise: (cause) => (fellOver(cause) ? [3, 12] : [0, 0]),
      takeOver: [0, 0],
    },
  },
  commands: [...espAtCommands, "+CIPRECVTYPE", "+CIPSSLCCIPHER", "+SYSMFG", "+CIPSENDL", "+CIPSENDLCFG", "+TRANSINTVL",
    "+CIPCONNPERSIST"],
};
