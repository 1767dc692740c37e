/** One chart's WebSocket: reconnects by itself, and notices a connection that has silently died. */

const BACKOFF_FIRST_MS = 400;
const BACKOFF_LAST_MS = 10_000;
const SILENT_PINGS = 2.5;

/** @typedef {"connecting" | "open" | "reconnecting"} LinkState */

/**
 * How long to wait before the next attempt: doubling, with a third of chance so that not all pages
 * come back in the same moment.
 * @param {number} attempt 0 for the first
 * @param {number} chance from 0 to 1
 */
export function backoffMs(attempt, chance) {
  const wait = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** attempt);
  return wait * (1 - chance / 3);
}

export class Connection {
  /**
   * @param {object} wiring
   * @param {() => string} wiring.address asked before every attempt, for it tells where to resume
   * @param {(message: any) => void} wiring.onMessage every message but pings, in order
   * @param {(state: LinkState, reason: string) => void} wiring.onState
   */
  constructor({ address, onMessage, onState }) {
    this._address = address;
    this._onMessage = onMessage;
    this._onState = onState;
    this._attempt = 0;
    this._seq = 0;
    this._pingMs = 5000;
    this._reason = "";
    /** @type {WebSocket | null} */
    this._socket = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    this._onState("connecting", "");
    this._open();
  }

  /** End for good: nothing is called any more. */
  close() {
    clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    socket?.close();
  }

  /** Try at once instead of waiting, because the network or the person is back. */
  hurry() {
    if (this._socket !== null) return;
    this._attempt = 0;
    clearTimeout(this._timer);
    this._open();
  }

  /** Start anew, because what was received does not continue what is known. */
  restart() {
    this._lost(this._socket);
  }

  _open() {
    this._seq = 0;
    const socket = new WebSocket(this._address());
    this._socket = socket;
    socket.onmessage = (event) => {
      if (socket === this._socket) this._hear(JSON.parse(event.data));
    };
    socket.onclose = () => this._lost(socket);
    this._watch();
  }

  /** @param {any} message */
  _hear(message) {
    this._watch();
    if (message.type === "error") {
      this._reason = message.detail;
      return;
    }
    if (message.seq !== this._seq + 1) {
      this.restart();
      return;
    }
    this._seq = message.seq;
    if (message.type === "hello") {
      this._pingMs = message.ping_s * 1000;
      this._attempt = 0;
      this._reason = "";
      this._onState("open", "");
    }
    this._onMessage(message);
  }

  /** Let a connection count as dead when it has been silent for too long. */
  _watch() {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.restart(), this._pingMs * SILENT_PINGS);
  }

  /** @param {WebSocket | null} socket */
  _lost(socket) {
    if (socket === null || socket !== this._socket) return;
    this._socket = null;
    socket.close();
    clearTimeout(this._timer);
    this._onState("reconnecting", this._reason);
    this._timer = setTimeout(() => this._open(), backoffMs(this._attempt, Math.random()));
    this._attempt += 1;
  }
}
