/** Labels of the time axis, in the zone that is chosen. */

import { TickMarkType } from "../vendor/lightweight-charts.mjs";

/** @typedef {import("./format.js").Times} Times */

const DAY = 86_400_000_000;
const HALF_DAY = DAY / 2;

/**
 * The time that names a candle. A day's candle may open in the evening before, so its middle tells
 * which day it is.
 * @param {number} at µs
 * @param {string} timeframe
 */
function naming(at, timeframe) {
  return timeframe === "1d" ? at + HALF_DAY : at;
}

/**
 * The label under a candle.
 *
 * The library finds where days begin in UTC. In another zone such a mark is at no midnight, and
 * says its hour too.
 * @param {number} seconds
 * @param {number} type one of the library's TickMarkType
 * @param {string} timeframe
 * @param {Times} times
 */
export function tickLabel(seconds, type, timeframe, times) {
  const at = naming(seconds * 1e6, timeframe);
  if (type === TickMarkType.Year) return times.year(at);
  if (type === TickMarkType.Month) return times.month(at);
  if (type === TickMarkType.DayOfMonth) {
    const clock = times.clock(at);
    const midnight = timeframe === "1d" || times.zone === "utc" || clock === "00:00";
    return midnight ? times.day(at) : `${times.day(at)} ${clock}`;
  }
  return times.clock(at);
}

/**
 * The label at the crosshair.
 * @param {number} seconds
 * @param {string} timeframe
 * @param {Times} times
 */
export function crosshairLabel(seconds, timeframe, times) {
  const at = naming(seconds * 1e6, timeframe);
  return timeframe === "1d" ? times.long(at) : `${times.day(at)} ${times.clock(at)}`;
}
