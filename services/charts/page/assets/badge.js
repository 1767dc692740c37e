/** The live badge: whether what is seen is what is happening. */

import { byId, say } from "./dom.js";
import { formatSpan } from "./format.js";

/** Prices older than this are called stale. */
export const STALE_MS = 30_000;

/**
 * @typedef {object} Pulse what is known of the stream
 * @property {import("./connection.js").LinkState} link
 * @property {string} reason why it is not open, if the server said so
 * @property {boolean} logAway whether the server says that it cannot reach its own data
 * @property {number} quietMs since the candle last changed
 */

/**
 * @param {Pulse} pulse
 * @returns {{ state: string, text: string }}
 */
export function liveness({ link, reason, logAway, quietMs }) {
  if (link === "connecting") return { state: "connecting", text: "Connecting" };
  if (link === "reconnecting") return { state: "reconnecting", text: reason || "Reconnecting" };
  if (logAway) return { state: "stale", text: "No data: server is reconnecting" };
  if (quietMs > STALE_MS) return { state: "stale", text: `No new price for ${formatSpan(quietMs)}` };
  return { state: "live", text: "Live" };
}

export class Badge {
  constructor() {
    this._element = byId("live");
    this._text = byId("live-text");
  }

  /** @param {Pulse} pulse */
  show(pulse) {
    const { state, text } = liveness(pulse);
    if (this._element.dataset.state !== state) this._element.dataset.state = state;
    say(this._text, text);
    this._element.title = text;
  }
}
