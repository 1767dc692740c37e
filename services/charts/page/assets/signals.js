/** Signals as marks on candles. */

/** @typedef {import("./candles.js").Candles} Candles */

/**
 * @typedef {object} Mark
 * @property {number} open_at the candle it stands at
 * @property {"touch" | "break" | "sweep"} action
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
    const candle = candles.holding(signal.at);
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
 * The signals in a message, whatever the price did.
 * @param {Record<string, Array<Signal | LevelShape>>} groups
 * @returns {Signal[]}
 */
export function signalsIn(groups) {
  const kinds = ["break_signals", "touch_signals", "sweep_signals"];
  return kinds.flatMap((kind) => /** @type {Signal[]} */ (groups[kind] ?? []));
}

const NAMES = { break: "Break", touch: "Touch", sweep: "Sweep" };

/**
 * What happened, in a word.
 * @param {Signal} signal
 */
export function actionName(signal) {
  return NAMES[signal.action] ?? signal.action;
}
