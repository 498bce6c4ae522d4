import type { Timer } from "../clock";
import type { TlsRequest } from "../network/certificates";
import { ConnectFailure, type Network } from "../network/network";
import { hearsFromPeer } from "./faults/links";
import type { ModuleFaults } from "./faults/module-faults";
import { Link, LinkState } from "./link";
import type { ModuleObserver } from "./observer";
import type { Personality, Remark, Span } from "./personality";
import type { Printer } from "./printer";
import { errnoOf } from "./secure";
import { Messages, type Settings } from "./settings";
import type { Station } from "./station";
import type { TaskTimers } from "./task-timers";

/** A peer that knows nothing of a connection answers its bytes with a reset after so long, in ms. */
const RESET_AFTER: Span = [5, 60];
/** Back in the network, what was not acknowledged is sent again after so long, in ms. */
const RETRANSMIT_AFTER: Span = [500, 3_000];

/** The keep-alive of the stack probes three times, a second apart. */
const PROBES = 3;

/** What transparent mode wants to know of its link. */
export interface Pipe {
  /** The connection is over, and all that came on it was printed. */
  lost(): void;
}

/**
 * All TCP links, and the socket task that tells the host about them: data, notices, closings. It prints nothing while
 * it is blocked by a connect or by a send that waits for room, nor while the UART has no room.
 */
export class Links {
  readonly all: readonly Link[];
  /** Transparent mode is on: its link is a pipe, and events are told only if AT+SYSMSG wants it. */
  pipe: Pipe | undefined;
  /** How the connect that is under way ends. At most one is: the command interpreter waits for it. */
  private connectDone: ((ok: boolean, reason: string, errno?: number, unresolved?: boolean) => void) | undefined;
  /** Ends the connect that is under way when it takes too long. */
  private patience: Timer | undefined;
  /** The socket task waits for a peer that takes its time. */
  private heldBack = false;
  /** The next loss of the network ends no link. */
  private survivesLoss = false;

  constructor(
    private readonly network: Network,
    private readonly station: Station,
    private readonly printer: Printer,
    private readonly settings: Settings,
    private readonly personality: Personality,
    private readonly observer: ModuleObserver,
    private readonly timers: TaskTimers,
    private readonly faults: ModuleFaults,
  ) {
    const { limits: { links, receiveWindow, sendBuffer }, habits } = personality;
    const awaitsAcknowledgement = habits.sendOk === "acknowledged";
    const sent = (id: number, bytes: Uint8Array): void => observer.linkSent?.(id, bytes);
    this.all = Array.from({ length: links }, (_, id) => new Link(id, timers, receiveWindow, sendBuffer, awaitsAcknowledgement,
      (bytes) => sent(id, bytes), () => this.awaitReset(this.link(id), RESET_AFTER)));
  }

  get anyOpen(): boolean {
    return this.all.some((link) => link.state !== LinkState.Free);
  }

  /** Whether the host is told what happens to links and to Wi-Fi. */
  get tellsEvents(): boolean {
    return this.pipe === undefined || (this.settings.messages & Messages.InTransparent) !== 0;
  }

  /** The link of an id that a command named. */
  link(id: number): Link {
    const link = this.all[id];
    if (link === undefined) {
      throw new RangeError(`there is no link ${id}`);
    }
    return link;
  }

  /** What stands before the name of an event: the id and a comma, nothing when there is only one link. */
  prefix(link: Link): string {
    return this.settings.multiple ? `${link.id},` : "";
  }

  /** How many links use TLS, or begin to. */
  get secured(): number {
    return this.all.filter((link) => link.state !== LinkState.Free && link.kind === "SSL").length;
  }

  /** Opens a connection, with TLS if asked for; `done` is called once. `timeout` in ms, 0 for the stack's own. */
  connect(
    link: Link, host: string, port: number, timeout: number, done: (ok: boolean, remark?: Remark) => void, tls?: TlsRequest,
  ): void {
    link.start(host, port, tls === undefined ? "TCP" : "SSL");
    const limit = timeout > 0 ? timeout : this.timers.pick(this.personality.timings.connectTimeout);
    this.patience = this.timers.after(limit, () => this.connectDone?.(false, "timed out"));
    this.connectDone = (ok, reason, errno, unresolved = false) => {
      this.connectDone = undefined;
      this.patience?.cancel();
      if (ok) {
        this.opened(link);
      } else {
        this.observer.linkRefused?.(link.id, host, port, reason);
        this.tellErrno(errno);
        link.destroy();
      }
      if (ok || unresolved) {
        done(ok, unresolved ? "dnsFail" : undefined);
      } else {
        this.tellFailed(link, () => done(false));
      }
    };
    if (this.station.inReach) {
      this.dial(link, host, port, tls);
    }
  }

  /** Some generations say CLOSED of a connection that never was, before or after the ERROR. */
  private tellFailed(link: Link, done: () => void): void {
    const { side, chance } = this.personality.habits.closedAtFailedStart;
    const tells = this.timers.chance(chance);
    if (tells && side === "before") {
      this.tellClosed(link);
    }
    done();
    if (tells && side === "after") {
      this.printer.afterReplies(() => this.tellClosed(link));
    }
  }

  private tellClosed(link: Link): void {
    if (this.tellsEvents) {
      this.printer.tell(`${this.prefix(link)}CLOSED\r\n`);
    }
  }

  /** Why a connection did not come about, for a host that has asked for it with AT+SYSLOG=1. */
  tellErrno(errno: number | undefined): void {
    if (errno !== undefined && this.settings.showErrorCodes) {
      this.printer.tell(this.personality.strings.errno(errno));
    }
  }

  /**
   * There is a connection; with TLS the chip still computes for a while. A fault may have it known late, longer than
   * the stack's own patience.
   */
  private connected(link: Link, secure: boolean): void {
    const late = this.faults.strikes("link.connect_late");
    const done = this.connectDone;
    if (late === undefined && !secure) {
      done?.(true, "");
      return;
    }
    if (late !== undefined) {
      this.patience?.cancel();
    }
    const delay = late ?? this.timers.pick(this.personality.timings.handshake);
    this.timers.after(delay, () => {
      if (this.connectDone === done) {
        done?.(link.state === LinkState.Connecting, "closed");
      }
    });
  }

  private dial(link: Link, host: string, port: number, tls: TlsRequest | undefined): void {
    const socket = this.network.connect(host, port, {
      connected: () => this.connected(link, tls !== undefined),
      failed: (reason, failure, flaws) =>
        this.connectDone?.(
          false, reason, errnoOf(tls !== undefined, failure, flaws), failure === ConnectFailure.UnknownHost),
      data: (chunk) => {
        this.observer.linkReceived?.(link.id, chunk);
        hearsFromPeer(this.faults, this, link, () => {
          link.receive(chunk);
          this.service();
        });
      },
      drained: () => {
        link.pump();
        this.service();
      },
      closed: () => this.ended(link),
    }, tls);
    link.attach(socket);
    const { keepAlive } = this.tcpOptions(link);
    if (keepAlive > 0) {
      socket.keepAlive(keepAlive);
    }
  }

  tcpOptions(link: Link): Settings["tcp"][number] {
    const options = this.settings.tcp[link.id];
    if (options === undefined) {
      throw new RangeError(`there is no link ${link.id}`);
    }
    return options;
  }

  private opened(link: Link): void {
    link.state = LinkState.Open;
    this.observer.linkOpened?.(link.id, link.host, link.port);
    if (!this.tellsEvents) {
      return;
    }
    const detailed = (this.settings.messages & Messages.Details) !== 0;
    this.printer.tell(detailed
      ? `+LINK_CONN:0,${link.id},"${link.kind}",0,"${link.remoteIp}",${link.port},${link.localPort}\r\n`
      : `${this.prefix(link)}CONNECT\r\n`);
  }

  /** The peer has ended the connection, or it is known to be broken. */
  ended(link: Link): void {
    if (link.state === LinkState.Connecting) {
      this.connectDone?.(false, "closed by the peer");
      return;
    }
    this.observer.linkClosed?.(link.id);
    link.closedByPeer();
    this.service();
  }

  /** The radio is silent: connections break for their peers, the links do not know. */
  strandAll(): void {
    for (const link of this.all) {
      if (this.settings.persistent[link.id] === true) {
        link.hold();
      } else {
        this.strand(link);
      }
    }
  }

  /** The peer is out of reach, and nobody knows, until the probes of the stack find it out, if it was told to probe. */
  strand(link: Link): void {
    if (!link.connected) {
      link.strand();
      return;
    }
    this.observer.linkClosed?.(link.id);
    link.strand();
    const { keepAlive } = this.tcpOptions(link);
    if (keepAlive === 0) {
      return;
    }
    this.timers.after(1000 * (keepAlive + PROBES), () => {
      if (link.state === LinkState.Open && !link.connected) {
        this.ended(link);
      }
    });
  }

  /** Ends the connection behind the data that came, as if the peer had. */
  hangUp(link: Link): void {
    link.endSocket();
    this.ended(link);
  }

  /** The host hears CLOSED now, and may still read what came. */
  closeBeforeData(link: Link): void {
    this.observer.linkClosed?.(link.id);
    link.endSocket();
    link.leaveData();
    this.tellClosed(link);
  }

  /** When the network is next known to be lost, the host is not told that its links are. */
  keepThroughNextLoss(): void {
    this.survivesLoss = true;
  }

  /** Tells the host nothing for `ms`, then does as before, after `happen`. */
  holdBack(ms: number, happen: () => void): void {
    this.heldBack = true;
    this.timers.after(ms, () => {
      this.heldBack = false;
      happen();
      this.service();
    });
  }

  /**
   * The network is known to be lost: every link is closed, but for those that the generation forgets to close. They
   * stay as they are until something is sent on them.
   */
  closeAll(): void {
    this.connectDone?.(false, "Wi-Fi lost");
    const survives = this.survivesLoss;
    this.survivesLoss = false;
    const isToClose = ({ id, state }: Link): boolean => state === LinkState.Open && this.settings.persistent[id] !== true;
    for (const link of this.all.filter(isToClose)) {
      link.orphaned = survives || !this.timers.chance(this.personality.habits.tellsClosedAtLoss);
      if (!link.orphaned) {
        link.closedByPeer();
      }
    }
    this.service();
  }

  /** Back in the network: what could not be sent is sent again, to peers that have forgotten the connection. */
  networkIsBack(): void {
    for (const link of this.all.filter(({ id }) => this.settings.persistent[id] === true)) {
      link.release();
    }
    for (const link of this.all.filter(({ unacknowledged }) => unacknowledged > 0)) {
      this.awaitReset(link, RETRANSMIT_AFTER);
    }
  }

  private awaitReset(link: Link, span: Span): void {
    if (!link.orphaned || !this.station.inReach) {
      return;
    }
    this.timers.within(span, () => {
      if (link.orphaned && link.state === LinkState.Open && this.station.inReach) {
        link.closedByPeer();
        this.service();
      }
    });
  }

  /** Closes on the host's order. Data that it has not read is lost. */
  close(link: Link): void {
    if (link.connected) {
      this.observer.linkClosed?.(link.id);
    }
    link.end();
    this.tellClosed(link);
  }

  /** Power or reset. */
  stop(): void {
    for (const link of this.all) {
      if (link.connected) {
        this.observer.linkClosed?.(link.id);
      }
      link.destroy();
    }
  }

  /** One turn of the socket task. */
  service(): void {
    for (const link of this.all) {
      if (this.blocked) {
        return;
      }
      this.report(link);
    }
  }

  private get blocked(): boolean {
    const waits = this.connectDone !== undefined || this.all.some((link) => link.sending);
    return this.heldBack || this.printer.congested || (waits && this.personality.habits.oneSocketTask);
  }

  private report(link: Link): void {
    if (this.settings.transparent) {
      this.pushRaw(link);
    } else if (this.isPassive(link)) {
      this.announce(link);
    } else {
      this.pushData(link);
    }
    const { withholdsClosed } = this.personality.habits;
    if (link.state === LinkState.Closed && !(withholdsClosed && link.unread > 0) && !this.printer.congested) {
      if (link.unread > 0) {
        link.leaveData();
      } else {
        link.free();
      }
      this.tellClosed(link);
      this.pipe?.lost();
    }
  }

  /** Whether what comes on a link waits to be asked for. */
  isPassive({ id, kind }: Link): boolean {
    return this.settings.passive[id] === true && (kind === "TCP" || this.personality.habits.tls.passive);
  }

  private announce(link: Link): void {
    if (link.unread > 0 && !link.announced) {
      link.announced = true;
      if (this.faults.has("passive.lost_notice")) {
        return;
      }
      this.printer.tell(this.personality.strings.passiveNotice(this.prefix(link), link.unread));
    }
  }

  private pushData(link: Link): void {
    const { strings, limits } = this.personality;
    while (link.unread > 0 && !this.printer.congested) {
      const data = link.read(limits.activePiece);
      const head = strings.activeHead(this.prefix(link), data.length, this.peer(link));
      this.printer.tell(head, data, strings.activeTail);
    }
  }

  private pushRaw(link: Link): void {
    while (link.unread > 0 && !this.printer.congested) {
      this.printer.tell(link.read(this.personality.limits.activePiece));
    }
  }

  /** The peer's address as AT+CIPDINFO=1 has it shown. */
  peer(link: Link): string {
    return this.settings.showPeer ? this.personality.strings.peer(link.remoteIp, link.port) : "";
  }
}
