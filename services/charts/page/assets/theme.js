/** Colours for the canvas, which cannot read style sheets by itself. */

const NAMES = [
  ...["text", "muted", "faint", "grid", "raised"],
  ...["up", "down", "resistance", "support", "pivot"],
];

/** @typedef {Record<string, string> & { font: string }} Theme */

/** @returns {Theme} the page's colours as they are now */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const colours = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return Object.assign(Object.fromEntries(colours), {
    font: getComputedStyle(document.body).fontFamily,
  });
}

/**
 * Be told when the person's system changes between dark and light.
 * @param {() => void} changed
 */
export function onThemeChange(changed) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

/**
 * A colour with an opacity, from `#rrggbb`.
 * @param {string} colour
 * @param {number} opacity from 0 to 1
 */
export function faded(colour, opacity) {
  const alpha = Math.round(opacity * 255);
  return `${colour}${alpha.toString(16).padStart(2, "0")}`;
}
