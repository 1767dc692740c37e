/** The chart that is shown is in the address, `#EURUSD/15m`, so that it can be kept and sent. */

export const TIMEFRAMES = ["1m", "5m", "15m", "1h", "4h", "1d"];
export const DEFAULT_TIMEFRAME = "15m";

/**
 * @param {string} hash as in `location.hash`
 * @returns {Route | null} null where it names no chart
 */
export function parseRoute(hash) {
  const cut = hash.lastIndexOf("/");
  if (!hash.startsWith("#") || cut < 2) return null;
  const timeframe = hash.slice(cut + 1);
  if (!TIMEFRAMES.includes(timeframe)) return null;
  try {
    return { symbol: decodeURIComponent(hash.slice(1, cut)), timeframe };
  } catch {
    return null;
  }
}

/**
 * @param {Route} route
 * @returns {string}
 */
export function formatRoute({ symbol, timeframe }) {
  return `#${encodeURIComponent(symbol)}/${timeframe}`;
}

/**
 * @param {Route} one
 * @param {Route | null} other
 */
export function sameRoute(one, other) {
  return other !== null && one.symbol === other.symbol && one.timeframe === other.timeframe;
}
