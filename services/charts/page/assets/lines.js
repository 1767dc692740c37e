/** Level lines on the chart. */

import { LineStyle } from "../vendor/lightweight-charts.mjs";
import { levelNames } from "./levels.js";
import { faded } from "./theme.js";

/** @typedef {import("./theme.js").Theme} Theme */
/** @typedef {import("lightweight-charts").IPriceLine} PriceLine */

/** So many swings above and below the price are named at the axis; more could not be read. */
const SWINGS_NAMED_EACH_SIDE = 2;

export class LevelLines {
  /** @param {import("lightweight-charts").ISeriesApi<"Candlestick">} series */
  constructor(series) {
    this._series = series;
    /** @type {Map<string, { line: PriceLine, level: LevelShape }>} */
    this._lines = new Map();
    /** @type {Theme | null} */
    this._theme = null;
  }

  /**
   * Show these levels and no others.
   * @param {LevelShape[]} levels
   * @param {number | null} price
   * @param {Theme} theme
   */
  set(levels, price, theme) {
    this._theme = theme;
    const named = namedOf(levels, price);
    const wanted = new Set(levels.map((level) => level.ref));
    for (const [ref, { line }] of this._lines) {
      if (wanted.has(ref)) continue;
      this._series.removePriceLine(line);
      this._lines.delete(ref);
    }
    for (const level of levels) this._draw(level, named.has(level.ref));
  }

  /** @param {Theme} theme */
  colour(theme) {
    this._theme = theme;
    for (const { line, level } of this._lines.values()) {
      line.applyOptions(coloursOf(level, true, theme));
    }
  }

  /**
   * @param {LevelShape} level
   * @param {boolean} named
   */
  _draw(level, named) {
    const theme = /** @type {Theme} */ (this._theme);
    const options = {
      price: level.price,
      ...coloursOf(level, named, theme),
      lineWidth: /** @type {const} */ (1),
      lineStyle: styleOf(level.key),
      title: named ? levelNames(level.key).short : "",
      axisLabelVisible: named,
    };
    const known = this._lines.get(level.ref);
    if (known !== undefined) {
      known.line.applyOptions(options);
      known.level = level;
    } else {
      this._lines.set(level.ref, { line: this._series.createPriceLine(options), level });
    }
  }
}

/**
 * @param {LevelShape} level
 * @param {boolean} named
 * @param {Theme} theme
 */
function coloursOf(level, named, theme) {
  return {
    color: faded(theme[level.side], named ? 0.7 : 0.3),
    axisLabelColor: theme.raised,
    axisLabelTextColor: theme[level.side],
  };
}

/** @param {string} key */
function styleOf(key) {
  if (key.startsWith("previous_")) return LineStyle.Solid;
  return key.startsWith("pivot") ? LineStyle.Dashed : LineStyle.Dotted;
}

/**
 * @param {LevelShape[]} levels
 * @param {number | null} price
 * @returns {Set<string>} refs of all levels but swings that are far from the price
 */
function namedOf(levels, price) {
  const from = price ?? 0;
  const swings = levels
    .filter((level) => level.key.startsWith("swing"))
    .sort((a, b) => Math.abs(a.price - from) - Math.abs(b.price - from));
  const above = swings.filter((level) => level.price >= from).slice(SWINGS_NAMED_EACH_SIDE);
  const below = swings.filter((level) => level.price < from).slice(SWINGS_NAMED_EACH_SIDE);
  const far = new Set([...above, ...below]);
  return new Set(levels.filter((level) => !far.has(level)).map((level) => level.ref));
}
