/** The list of alerts: newest first, one for each signal, whatever number of channels it went to. */

import { byId, make, say } from "./dom.js";
import { DEFAULT_TIMEFRAME, formatRoute } from "./route.js";
import { actionName } from "./signals.js";

/** @typedef {import("./format.js").Times} Times */

const SHOWN = 60;
const ANNOUNCE_EVERY_MS = 4000;

export class AlertList {
  /** @param {Times} times */
  constructor(times) {
    this._times = times;
    this._list = byId("alerts");
    this._empty = byId("alerts-empty");
    this._count = byId("alerts-count");
    this._announcer = byId("announcer");
    this._announced = 0;
    /** @type {Map<string, Alert[]>} receipts by signal, oldest signal first */
    this._bySignal = new Map();
  }

  /**
   * Take in alerts that were there before.
   * @param {Alert[]} alerts newest first
   * @param {boolean} replacing whether they replace those that are known
   */
  begin(alerts, replacing) {
    if (replacing) this._bySignal.clear();
    for (const alert of [...alerts].reverse()) this._keep(alert);
    this.draw();
  }

  /**
   * Take in an alert that has just fired.
   * @param {Alert} alert
   */
  add(alert) {
    if (!this._keep(alert)) return;
    this.draw();
    const item = this._list.firstElementChild;
    if (item !== null && this._bySignal.get(alert.signal_id)?.length === 1) {
      item.classList.add("fresh");
      this._announce(alert);
    }
  }

  /** @param {Times} times */
  setTimes(times) {
    this._times = times;
    this.draw();
  }

  draw() {
    const signals = [...this._bySignal.values()].reverse();
    this._list.replaceChildren(...signals.map((receipts) => this._item(receipts)));
    this._empty.hidden = signals.length > 0;
    say(this._count, signals.length > 0 ? String(signals.length) : "");
  }

  /**
   * @param {Alert} alert
   * @returns {boolean} whether it was new
   */
  _keep(alert) {
    const receipts = this._bySignal.get(alert.signal_id) ?? [];
    if (receipts.some((receipt) => receipt.id === alert.id)) return false;
    this._bySignal.set(alert.signal_id, [...receipts, alert]);
    const oldest = this._bySignal.keys().next();
    if (this._bySignal.size > SHOWN && !oldest.done) this._bySignal.delete(oldest.value);
    return true;
  }

  /** @param {Alert[]} receipts */
  _item(receipts) {
    const { symbol, at, signal, text } = receipts[0];
    const link = make("a", "alert-symbol", symbol);
    const timeframe = signal !== null && signal.timeframe !== "1d" ? signal.timeframe : null;
    link.setAttribute("href", formatRoute({ symbol, timeframe: timeframe ?? DEFAULT_TIMEFRAME }));
    const time = make("time", "", this._times.seconds(at));
    time.setAttribute("datetime", new Date(at / 1000).toISOString());
    time.title = `${this._times.long(at)}, ${this._times.label}`;
    const head = make("div", "alert-head", link);
    if (signal !== null) {
      head.append(make("span", `action ${signal.action} ${signal.direction}`, actionName(signal)));
    }
    head.append(time);
    const item = make("li", "alert", head, make("p", "", withoutSymbol(signal?.reason ?? text, symbol)));
    for (const failed of receipts.filter((receipt) => receipt.status === "failed")) {
      item.append(make("p", "failed", `Not delivered by ${failed.channel}: ${failed.detail}`));
    }
    return item;
  }

  /**
   * Say an alert to people who do not see the page; at most one every few seconds, for a stormy
   * market must not talk without end.
   * @param {Alert} alert
   */
  _announce(alert) {
    if (performance.now() - this._announced < ANNOUNCE_EVERY_MS && this._announced > 0) return;
    this._announced = performance.now();
    say(this._announcer, `Alert: ${alert.signal?.reason ?? alert.text}`);
  }
}

/**
 * A sentence that begins with the symbol, where the symbol stands beside it already.
 * @param {string} sentence
 * @param {string} symbol
 */
function withoutSymbol(sentence, symbol) {
  if (!sentence.startsWith(`${symbol} `)) return sentence;
  const rest = sentence.slice(symbol.length + 1);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}
