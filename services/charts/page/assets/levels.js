/** Levels: what they are called, and the list beside the chart. */

import { byId, make, say } from "./dom.js";
import { formatChange, formatPrice } from "./format.js";

/** Names of level families, long for the list and short for the chart. */
const FAMILIES = {
  previous_day: { long: "Yesterday’s", short: "PD" },
  previous_week: { long: "Last week’s", short: "PW" },
  previous_month: { long: "Last month’s", short: "PM" },
  swing: { long: "Swing", short: "S" },
  donchian: { long: "Channel", short: "C" },
  atr_stop: { long: "ATR stop", short: "ATR" },
  opening_range: { long: "Opening range", short: "OR" },
  round_number: { long: "Round number", short: "RN" },
  fvg: { long: "Gap", short: "Gap" },
};
/** Their parts; what is not named here says nothing that the side does not say. */
const PARTS = {
  high: { long: " high", short: "H" },
  low: { long: " low", short: "L" },
  open: { long: " open", short: "O" },
  close: { long: " close", short: "C" },
};
const CHANNEL = { upper: "high", lower: "low" };

/** @typedef {{ long: string, short: string }} Names */

/**
 * @param {string} key such as `previous_day.high` or `pivot.classic.r1`
 * @returns {Names}
 */
export function levelNames(key) {
  const parts = key.split(".");
  const part = parts.at(-1) ?? key;
  const family = parts[0].split(":")[0];
  if (family === "pivot") return pivotNames(part.toUpperCase(), parts.length > 2 ? parts[1] : "");
  const names = /** @type {Record<string, Names>} */ (FAMILIES)[family];
  if (names === undefined) return { long: capital(words(key)), short: capital(words(part)) };
  const edge = family === "donchian" ? /** @type {Record<string, string>} */ (CHANNEL)[part] : part;
  const told = /** @type {Record<string, Names>} */ (PARTS)[edge] ?? { long: "", short: "" };
  return { long: names.long + told.long, short: names.short + told.short };
}

/**
 * @param {string} name PP, R1, S1, ...
 * @param {string} system
 */
function pivotNames(name, system) {
  const told = ["", "classic"].includes(system) ? "" : ` ${capital(system)}`;
  return { long: `${name === "PP" ? "Pivot" : `Pivot ${name}`}${told}`, short: name };
}

/** @param {string} text */
function words(text) {
  return text.replaceAll(/[._:]/g, " ");
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The table of levels and zones by falling price, with the market's own price in its place. */
export class LevelList {
  constructor() {
    this._body = byId("levels");
    this._count = byId("levels-count");
    this._empty = byId("levels-empty");
    this._decimals = 2;
    /** @type {{ edge: number, row: HTMLElement, distance: HTMLElement }[]} */
    this._rows = [];
    this._nowPrice = make("td");
    this._now = make("tr", "current", heading("Price now"), this._nowPrice, make("td"));
  }

  /**
   * @param {LevelShape[]} levels
   * @param {ZoneShape[]} zones
   * @param {number} decimals
   */
  show(levels, zones, decimals) {
    this._decimals = decimals;
    const entries = [
      ...levels.map((level) => ({ ...level, edge: level.price, low: null })),
      ...zones.map((zone) => ({ ...zone, edge: zone.high })),
    ].sort((one, other) => other.edge - one.edge);
    say(this._count, entries.length > 0 ? String(entries.length) : "");
    this._empty.hidden = entries.length > 0;
    this._rows = entries.map(({ key, side, timeframe, edge, low }) => {
      const name = heading(make("span", `dot ${side}`), levelNames(key).long);
      name.append(make("span", "tf", timeframe));
      const distance = make("td", "dim");
      const price = make("td", "", formatPrice(edge, decimals));
      if (low !== null) price.append(make("span", "down-to", `to ${formatPrice(low, decimals)}`));
      return { edge, row: make("tr", "", name, price, distance), distance };
    });
    this._body.replaceChildren(...this._rows.map(({ row }) => row));
  }

  /** Bring the price into the middle of the list, without moving the page. */
  centre() {
    const frame = this._body.closest(".scroll");
    if (!(frame instanceof HTMLElement) || this._now.parentNode === null) return;
    frame.scrollTop = this._now.offsetTop - (frame.clientHeight - this._now.offsetHeight) / 2;
  }

  /** @param {number | undefined} price what the distances are from */
  setPrice(price) {
    if (price === undefined || this._rows.length === 0) return;
    say(this._nowPrice, formatPrice(price, this._decimals));
    for (const { edge, distance } of this._rows) say(distance, formatChange(edge, price));
    const below = this._rows.find(({ edge }) => edge < price)?.row ?? null;
    if (this._now.parentNode === null || this._now.nextSibling !== below) {
      this._body.insertBefore(this._now, below);
    }
  }
}

/** @param {...(Node | string)} content */
function heading(...content) {
  const made = make("th", "", ...content);
  made.setAttribute("scope", "row");
  return made;
}
