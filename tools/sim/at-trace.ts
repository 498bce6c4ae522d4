/** The bytes of the serial line, without the secrets in them: a trace is something that people pass on. */

/** First byte of the MQTT packet. */
const CONNECT = 0x10;
/** What may be the beginning of a command with a password, at the end of what has come so far. */
const UNFINISHED = /(?:AT\+CWJAP[^\n]*|A(?:T(?:\+(?:C(?:W(?:JA?)?)?)?)?)?)$/i;

/** A command about the module's store, what comes out of it, and how long such a command is at least. */
const STORE = /^AT\+SYS(?:FLASH|MFG)/i;
const STORED = /\+SYS(?:FLASH|MFG):/;
const LONGEST_NAME = 11;
/** What is no part of a file, among the answers to a command about one. */
const ANSWER = /^(?:\r\n)*(?:(?:OK|ERROR|busy p\.\.\.|ERR CODE:0x\w+|ready)\r\n|> ?|\r\n)*$/;

export class AtTrace {
  private readonly said = new WithoutPasswords();
  private readonly heard = new WithoutPasswords();
  /** Bytes to the module are the payload of a send. */
  private payload = false;
  /** The beginning of the last command. */
  private command = "";
  /** What goes into the module's store, or comes out of it, which may be a private key. */
  private storing = false;
  /** What only the size is shown of, wherever the module believes that it ends. */
  private secret: "CONNECT" | "certificate or key" | undefined;

  constructor(private readonly show: (direction: string, text: string) => void) {}

  fromBoard(bytes: Uint8Array): void {
    const text = textOf(bytes);
    if (this.payload) {
      this.secret = this.storing ? "certificate or key" : bytes[0] === CONNECT ? "CONNECT" : undefined;
      this.payload = false;
    } else if (/^AT(?:\+[A-Z]|E[01]|\r)/i.test(text)) {
      this.secret = undefined;
      this.command = text;
      this.storing = STORE.test(text);
    } else if (this.command.length < LONGEST_NAME) {
      this.command += text;
      this.storing = STORE.test(this.command);
    }
    // An ISM43362 has no prompt for a payload.
    if (/^S[03](?:=\d+)?\r$/.test(text)) this.payload = true;
    const shown = this.secret === undefined ? this.said.take(text) : `(${this.secret}, ${bytes.length} bytes)`;
    if (shown !== "") this.show("to module:", shown);
  }

  toBoard(bytes: Uint8Array): void {
    const text = textOf(bytes);
    if (/> ?$/.test(text)) this.payload = true;
    if (STORED.test(text)) this.storing = true;
    const shown = this.storing && !ANSWER.test(text) ? `(certificate or key, ${bytes.length} bytes)` : this.heard.take(text);
    if (shown !== "") this.show("from module:", shown);
  }
}

/** Takes text as it comes, and gives what may be shown of it: a command with a password only once it is whole. */
class WithoutPasswords {
  private pending = "";

  take(text: string): string {
    const all = this.pending + text;
    const at = all.search(UNFINISHED);
    this.pending = at < 0 ? "" : all.slice(at);
    return (at < 0 ? all : all.slice(0, at))
      .replace(/(AT\+CWJAP(?:_CUR|_DEF)?="(?:[^"\\\r]|\\.)*",")(?:[^"\\\r]|\\.)*/gi, "$1***")
      .replace(/^C2=[^\r]*/, "C2=***");
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
