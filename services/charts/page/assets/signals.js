/** Signals as marks on candles. */

/** @typedef {import("./candles.js").Candles} Candles */

/**
 * @typedef {object} Mark
 * @property {number} open_at the candle it stands at
 * @property {Signal["action"]} action
 * @property {"long" | "short"} direction
 * @property {string[]} reasons
 */

/**
 * One mark for all signals of a kind at the same candle, in the order of time. Signals that lie in
 * no candle are left out.
 * @param {Signal[]} signals
 * @param {Candles} candles
 * @returns {Mark[]}
 */
export function marksOf(signals, candles) {
  /** @type {Map<string, Mark>} */
  const marks = new Map();
  for (const signal of [...signals].sort((one, other) => one.at - other.at)) {
    // What is decided on a closed candle is decided at its end, where the next one begins.
    const candle = candles.holding(signal.action === "condition" ? signal.at - 1 : signal.at);
    if (candle === undefined) continue;
    const kind = `${candle.open_at}/${signal.action}/${signal.direction}`;
    const mark = marks.get(kind) ?? {
      open_at: candle.open_at,
      action: signal.action,
      direction: signal.direction,
      reasons: [],
    };
    mark.reasons.push(signal.reason);
    marks.set(kind, mark);
  }
  return [...marks.values()];
}

/**
 * The signals in a message, whatever they recognised.
 * @param {NonNullable<Update["signals"]>} groups
 * @returns {Signal[]}
 */
export function signalsIn(groups) {
  const kinds = Object.keys(groups).filter((kind) => kind.endsWith("_signals"));
  return kinds.flatMap((kind) => /** @type {Signal[]} */ (groups[kind]));
}

/**
 * The zones in a message.
 * @param {NonNullable<Update["signals"]>} groups
 * @returns {ZoneShape[]}
 */
export function zonesIn(groups) {
  return /** @type {ZoneShape[]} */ (groups["fvg_zones"] ?? []);
}

/**
 * What happened, in a word.
 * @param {Signal} signal
 */
export function actionName({ action }) {
  return action.charAt(0).toUpperCase() + action.slice(1);
}
