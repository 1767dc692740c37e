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
 * @property {DataStatus} data how fresh the symbol's prices are, as far as the server knows
 */

/**
 * @param {Pulse} pulse
 * @returns {{ state: keyof SAID, text: string }}
 */
export function liveness({ link, reason, logAway, quietMs, data }) {
  if (link === "connecting") return { state: "connecting", text: "Connecting" };
  if (link === "reconnecting") return { state: "reconnecting", text: reason || "Reconnecting" };
  if (logAway) return { state: "stale", text: "No data: server is reconnecting" };
  if (data === "closed") return { state: "closed", text: "Market closed" };
  if (data === "stale") return { state: "stale", text: "Prices have stopped" };
  // A provider that is asked once a minute is quiet for longer than that, and well.
  if (quietMs > STALE_MS && data !== "fresh") return { state: "stale", text: `No new price for ${formatSpan(quietMs)}` };
  return { state: "live", text: "Live" };
}

/** What is told to screen readers: once a state, not once a second. */
const SAID = {
  connecting: "",
  live: "Prices are live",
  stale: "Prices are stale",
  closed: "The market is closed",
  reconnecting: "Connection lost, reconnecting",
};

export class Badge {
  constructor() {
    this._said = byId("live-said");
    this._element = byId("live");
    this._text = byId("live-text");
  }

  /** @param {Pulse} pulse */
  show(pulse) {
    const { state, text } = liveness(pulse);
    this._element.dataset.state = state;
    say(this._said, SAID[state]);
    say(this._text, text);
    this._element.title = text;
  }
}
