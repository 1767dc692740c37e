/** The list of markets with their prices. */

import { byId, make, say } from "./dom.js";
import { formatChange, formatPrice } from "./format.js";
import { formatRoute } from "./route.js";

/**
 * @typedef {object} Row
 * @property {HTMLElement} link
 * @property {HTMLElement} price
 * @property {HTMLElement} change
 * @property {HTMLElement} data
 * @property {number | null} from yesterday's close, where there was one
 */

export class MarketList {
  constructor() {
    this._list = byId("markets");
    /** @type {Map<string, Row>} */
    this._rows = new Map();
  }

  /**
   * @param {MarketSymbol[]} symbols
   * @param {Route | null} route the chart that is shown
   */
  show(symbols, route) {
    const names = symbols.map((one) => one.symbol);
    if (names.join("\n") !== [...this._rows.keys()].join("\n")) this._build(names);
    for (const one of symbols) this._fill(one);
    if (route !== null) this.select(route);
  }

  /**
   * Mark the chart that is shown.
   * @param {Route} route
   */
  select(route) {
    for (const [symbol, { link }] of this._rows) {
      link.setAttribute("href", formatRoute({ symbol, timeframe: route.timeframe }));
      if (symbol !== route.symbol) {
        link.removeAttribute("aria-current");
      } else if (link.getAttribute("aria-current") === null) {
        link.setAttribute("aria-current", "page");
        this._bringIntoView(link);
      }
    }
  }

  /**
   * Scroll the list alone, never the page.
   * @param {HTMLElement} link
   */
  _bringIntoView(link) {
    const strip = /** @type {HTMLElement} */ (this._list.parentElement);
    strip.scrollLeft = link.offsetLeft - (strip.clientWidth - link.offsetWidth) / 2;
    strip.scrollTop = link.offsetTop - (strip.clientHeight - link.offsetHeight) / 2;
  }

  /**
   * Show a price that is newer than the list.
   * @param {string} symbol
   * @param {number} price
   * @param {number} decimals
   */
  setPrice(symbol, price, decimals) {
    const row = this._rows.get(symbol);
    if (row === undefined) return;
    say(row.price, formatPrice(price, decimals));
    showChange(row.change, price, row.from);
  }

  /** @param {string[]} names */
  _build(names) {
    this._rows.clear();
    const items = names.map((symbol) => {
      const price = make("span", "market-price");
      const change = make("span", "change");
      const data = make("span", "market-data");
      const name = make("span", "market-symbol", symbol);
      const link = make("a", "market", name, price, data, change);
      this._rows.set(symbol, { link, price, change, data, from: null });
      return make("li", "", link);
    });
    this._list.replaceChildren(...items);
  }

  /** @param {MarketSymbol} one */
  _fill(one) {
    const row = this._rows.get(one.symbol);
    if (row === undefined) return;
    say(row.price, formatPrice(one.price, one.decimals));
    row.from = one.previous_close;
    showChange(row.change, one.price, row.from);
    showData(row.data, one.data);
  }
}

/**
 * Show a price's distance from yesterday's close, or nothing where there was none.
 * @param {HTMLElement} element
 * @param {number} price
 * @param {number | null} from
 */
export function showChange(element, price, from) {
  if (from === null) {
    say(element, "");
    return;
  }
  say(element, formatChange(price, from));
  element.classList.toggle("up", price > from);
  element.classList.toggle("down", price < from);
}

/** @type {Record<DataStatus, string>} */
const SAID = {
  "": "",
  fresh: "",
  late: "Its next price is overdue",
  stale: "Its market is open, but its prices have stopped",
  closed: "Its market is closed",
};

/**
 * Say of a market whose data are not fresh why that is.
 * @param {HTMLElement} element
 * @param {DataStatus} status
 */
export function showData(element, status) {
  element.dataset.status = status;
  element.title = SAID[status];
  say(element, SAID[status] === "" ? "" : status);
}
