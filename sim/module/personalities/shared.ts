import type { Strings } from "../personality";

/** What every generation says alike. */
export const sharedStrings = {
  ready: "\r\nready\r\n",
  ok: "\r\nOK\r\n",
  error: "\r\nERROR\r\n",
  sendOk: "\r\nSEND OK\r\n",
  sendFail: "\r\nSEND FAIL\r\n",
  busyProcessing: "\r\nbusy p...\r\n",
  quit: "\r\n+QUITT\r\n",
  errno: () => "",
  scanned: ({ encryption, ssid, rssi, bssid, channel }) =>
    `+CWLAP:(${encryption},"${ssid}",${rssi},"${bssid}",${channel},-1,-1,4,4,7,0)`,
  received: (count) => `\r\nRecv ${count} bytes\r\n`,
  joinFailed: (reason) => `+CWJAP:${reason}\r\n`,
  activeHead: (link, count, from) => `\r\n+IPD,${link}${count}${from}:`,
  passiveNotice: (link, count) => `\r\n+IPD,${link}${count}\r\n`,
} as const satisfies Partial<Strings>;

/** What ESP-AT says alike from 2.1 on. */
export const espAtStrings = {
  ...sharedStrings,
  joinError: "\r\nERROR\r\n",
  sendCancelled: "\r\nSEND Canceled\r\n",
  longSendCancelled: "\r\nSEND CANCELLED\r\n",
  busySending: "",
  forcedRestart: "\r\nWill force to restart!!!\r\n",
  timeUpdated: "+TIME_UPDATED\r\n",
  errorCode: (code) => `ERR CODE:0x${code.toString(16).padStart(8, "0")}\r\n`,
  network: (name, facts) => {
    const { ssid, bssid, channel, rssi, security, reconnectInterval, listenInterval, scanMode, pmf } = facts;
    return `${name}:"${ssid}","${bssid}",${channel},${rssi},` +
      `${security},${reconnectInterval},${listenInterval},${scanMode},${pmf}\r\n`;
  },
  noNetwork: "",
  activeTail: "\r\n",
  passiveHead: (count, from) => `+CIPRECVDATA:${count}${from},`,
  peer: (ip, port) => `,"${ip}",${port}`,
  showPeer: (on) => `+CIPDINFO:${on ? "true" : "false"}`,
  domain: (ip) => `+CIPDOMAIN:"${ip}"`,
  ping: (ms) => `+PING:${ms}`,
  pingTimeout: "+PING:TIMEOUT",
  nameServers: (name, manual, addresses) =>
    `${name}:${[manual ? "1" : "0", ...addresses.map((address) => `"${address}"`)].join(",")}\r\n`,
} as const satisfies Partial<Strings>;

/** The commands that every generation has. */
export const sharedCommands = [
  "", "E0", "E1", "+GMR", "+RST", "+RESTORE", "+UART_CUR", "+UART_DEF", "+SYSRAM", "+SLEEP",
  "+CWMODE", "+CWJAP", "+CWQAP", "+CWAUTOCONN", "+CIFSR", "+CIPSTA",
  "+CIPMUX", "+CIPSTART", "+CIPSEND", "+CIPCLOSE", "+CIPSTATUS", "+CIPRECVMODE", "+CIPRECVLEN", "+CIPRECVDATA",
  "+CIPDINFO", "+CIPDOMAIN", "+CIPSSLCCONF", "+GSLP", "+CWLAP", "+CWDHCP", "+PING", "+CIPSNTPCFG", "+CIPSNTPTIME",
  "+CIPMODE", "+CIPSENDEX", "+SAVETRANSLINK",
];

/** The commands that ESP-AT has in addition, from 2.2 on. */
export const espAtCommands = [
  ...sharedCommands,
  "+SYSSTORE", "+SYSMSG", "+SYSLOG", "+CWSTATE", "+CWRECONNCFG", "+CIPSTATE", "+CIPTCPOPT",
  "+CIPSTARTEX", "+CIPRECONNINTV", "+CIPDNS", "+CIPSNTPINTV", "+SYSTIMESTAMP", "+CIPSSLCCN", "+CIPSSLCSNI", "+CIPSSLCALPN",
];
