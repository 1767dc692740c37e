/** Levels: what they are called, and the list beside the chart. */

import { byId, make, say } from "./dom.js";
import { formatChange, formatPrice } from "./format.js";

/** Names of level families and their parts, long for the list and short for the chart. */
const FAMILIES = {
  previous_day: { long: "Yesterday’s", short: "PD" },
  previous_week: { long: "Last week’s", short: "PW" },
  previous_month: { long: "Last month’s", short: "PM" },
  swing: { long: "Swing", short: "S" },
  donchian: { long: "Channel", short: "Ch" },
};
const INITIALS = { high: "H", low: "L", open: "O", close: "C" };

/**
 * @param {string} key such as `previous_day.high` or `pivot.classic.r1`
 * @returns {{ long: string, short: string }}
 */
export function levelNames(key) {
  const parts = key.split(".");
  const part = parts.at(-1) ?? key;
  const family = parts[0].split(":")[0];
  if (family === "pivot") {
    const name = part.toUpperCase();
    const system = parts.length > 2 && parts[1] !== "classic" ? ` ${capital(parts[1])}` : "";
    return { long: name === "PP" ? `Pivot${system}` : `Pivot ${name}${system}`, short: name };
  }
  if (family in FAMILIES) {
    const names = FAMILIES[/** @type {keyof FAMILIES} */ (family)];
    const initial = part in INITIALS ? INITIALS[/** @type {keyof INITIALS} */ (part)] : part;
    return { long: `${names.long} ${words(part)}`, short: `${names.short}${initial}` };
  }
  return { long: capital(words(key)), short: capital(words(part)) };
}

/** @param {string} text */
function words(text) {
  return text.replaceAll(/[._:]/g, " ");
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The table of levels by falling price, with the market's own price in its place. */
export class LevelList {
  constructor() {
    this._body = byId("levels");
    this._count = byId("levels-count");
    this._empty = byId("levels-empty");
    this._decimals = 2;
    /** @type {{ level: LevelShape, row: HTMLElement, distance: HTMLElement }[]} */
    this._rows = [];
    this._nowPrice = make("td");
    this._now = make("tr", "current", heading("Price now"), this._nowPrice, make("td"));
  }

  /**
   * @param {LevelShape[]} levels by falling price
   * @param {number} decimals
   */
  show(levels, decimals) {
    this._decimals = decimals;
    say(this._count, levels.length > 0 ? String(levels.length) : "");
    this._empty.hidden = levels.length > 0;
    this._rows = levels.map((level) => {
      const name = heading(make("span", `dot ${level.side}`), levelNames(level.key).long);
      name.append(make("span", "tf", level.timeframe));
      const distance = make("td", "dim");
      const price = make("td", "", formatPrice(level.price, decimals));
      return { level, row: make("tr", "", name, price, distance), distance };
    });
    this._body.replaceChildren(...this._rows.map(({ row }) => row));
  }

  /** @param {number | undefined} price what the distances are from */
  setPrice(price) {
    if (price === undefined || this._rows.length === 0) return;
    say(this._nowPrice, formatPrice(price, this._decimals));
    for (const { level, distance } of this._rows) {
      say(distance, formatChange(level.price, price));
    }
    const below = this._rows.find(({ level }) => level.price < price)?.row ?? null;
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
