/** Zones on the chart: faint rectangles from where they formed to the right edge. */

import { faded } from "./theme.js";

/** @typedef {import("./theme.js").Theme} Theme */
/** @typedef {import("lightweight-charts").SeriesAttachedParameter<any>} Attached */
/** @typedef {import("lightweight-charts").IPrimitivePaneRenderer} Renderer */

const OPACITY = 0.13;

export class ZoneBoxes {
  /** @param {import("lightweight-charts").ISeriesApi<"Candlestick">} series */
  constructor(series) {
    /** @type {ZoneShape[]} */
    this._zones = [];
    /** @type {Theme | null} */
    this._theme = null;
    /** @type {Attached | null} */
    this._attached = null;
    const view = {
      zOrder: () => /** @type {const} */ ("bottom"),
      renderer: () => /** @type {Renderer} */ ({ draw: (target) => this._draw(target) }),
    };
    series.attachPrimitive({
      attached: (attached) => {
        this._attached = attached;
      },
      paneViews: () => [view],
    });
  }

  /**
   * Show these zones and no others.
   * @param {ZoneShape[]} zones
   * @param {Theme} theme
   */
  set(zones, theme) {
    this._zones = zones;
    this._theme = theme;
    this._attached?.requestUpdate();
  }

  /** @param {Theme} theme */
  colour(theme) {
    this.set(this._zones, theme);
  }

  /** @param {Parameters<Renderer["draw"]>[0]} target */
  _draw(target) {
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio, verticalPixelRatio }) => {
      for (const zone of this._zones) {
        const box = this._box(zone);
        if (box === null) continue;
        const [left, top, bottom] = box;
        context.fillStyle = faded(/** @type {Theme} */ (this._theme)[zone.side], OPACITY);
        const x = Math.round(left * horizontalPixelRatio);
        const y = Math.round(top * verticalPixelRatio);
        context.fillRect(x, y, bitmapSize.width - x, Math.round(bottom * verticalPixelRatio) - y);
      }
    });
  }

  /**
   * @param {ZoneShape} zone
   * @returns {[number, number, number] | null} left, top and bottom in pixels
   */
  _box(zone) {
    if (this._attached === null) return null;
    const { chart, series } = this._attached;
    const top = series.priceToCoordinate(zone.high);
    const bottom = series.priceToCoordinate(zone.low);
    if (top === null || bottom === null) return null;
    // A zone from before the oldest candle begins at the left edge.
    const left = chart.timeScale().timeToCoordinate(/** @type {any} */ (zone.formed_at / 1e6));
    return [left ?? 0, top, bottom];
  }
}
