/** What survives a reset and a loss of power. One object belongs to one module for ever. */
export interface Flash {
  /** AT+CWMODE: 0 off, 1 station. */
  mode: number;
  /** The last network that was joined. */
  network: { readonly ssid: string; readonly password: string } | undefined;
  /** AT+CWAUTOCONN: whether to join that network at boot. */
  autoConnect: boolean;
  /** AT+UART_DEF: rate after a reset, in bits per second. */
  baud: number;
}

export function blankFlash(baud: number): Flash {
  return { mode: 0, network: undefined, autoConnect: true, baud };
}
