/** The chart: candles, volume, level lines and signal marks on a canvas. */

import {
  CandlestickSeries,
  CrosshairMode,
  HistogramSeries,
  createChart,
  createSeriesMarkers,
  createTextWatermark,
} from "../vendor/lightweight-charts.mjs";
import { crosshairLabel, tickLabel } from "./axis.js";
import { formatPrice } from "./format.js";
import { LevelLines } from "./lines.js";
import { unreal } from "./source.js";
import { faded, readTheme } from "./theme.js";
import { ZoneBoxes } from "./zones.js";

/** @typedef {import("./format.js").Times} Times */
/** @typedef {import("./signals.js").Mark} Mark */

const CANDLES_IN_VIEW = 140;
const CANDLES_IN_VIEW_MIN = 40;
/** What the price went through or a candle decided; the rest happens at a level. */
const ARROWS = ["break", "condition"];
const NARROW_PX = 600;
/** Room to the right of the newest candle, so that names of levels do not cover it. */
const LABELS_PX = 64;
/** Ask for history when fewer candles than this are left of the view. */
const HISTORY_AHEAD = 40;

/** @typedef {import("lightweight-charts").UTCTimestamp} Seconds */

/** @param {number} at µs */
const seconds = (at) => /** @type {Seconds} */ (at / 1e6);

export class PriceChart {
  /**
   * @param {HTMLElement} element
   * @param {Times} times
   */
  constructor(element, times) {
    this._element = element;
    this._times = times;
    this._timeframe = "";
    this._decimals = 2;
    this.sized = false;
    this._volumeShown = true;
    this._theme = readTheme();
    /** @type {Mark[]} */
    this._marks = [];
    /** @type {number | null} where a move within this frame leads */
    this._goal = null;
    this._chart = createChart(element, {
      autoSize: true,
      // The link that the licence asks for stands in the page's foot.
      layout: { attributionLogo: false },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.16 } },
      timeScale: { borderVisible: false, timeVisible: true, rightOffset: 6, minBarSpacing: 1 },
    });
    this._candles = this._chart.addSeries(CandlestickSeries, { borderVisible: false });
    this._volume = this._chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this._volume.priceScale().applyOptions({ scaleMargins: { top: 0.88, bottom: 0 } });
    this._markers = createSeriesMarkers(this._candles, []);
    this._lines = new LevelLines(this._candles);
    this._boxes = new ZoneBoxes(this._candles);
    this._watermark = createTextWatermark(this._chart.panes()[0], { lines: [] });
    this._source = "";
    this.setTheme();
    this.setTimes(times);
  }

  /**
   * Begin a chart of something else.
   * @param {string} timeframe
   * @param {number} decimals
   */
  reset(timeframe, decimals) {
    this._timeframe = timeframe;
    this._decimals = decimals;
    this._candles.applyOptions({
      priceFormat: {
        type: "custom",
        formatter: (/** @type {number} */ price) => formatPrice(price, decimals),
        minMove: 10 ** -decimals,
      },
    });
    this._chart.applyOptions({ timeScale: { timeVisible: timeframe !== "1d" } });
    this._chart.priceScale("right").applyOptions({ autoScale: true });
  }

  /** @param {Candle[]} candles in order */
  setCandles(candles) {
    this.sized = candles.some((candle) => candle.volume > 0);
    this._candles.setData(candles.map((candle) => this._candle(candle)));
    this._volume.setData(this.sized ? candles.map((candle) => this._size(candle)) : []);
    this._showVolume();
  }

  /**
   * @param {Candle} candle the newest, or an older one
   * @param {boolean} older
   */
  update(candle, older) {
    this._candles.update(this._candle(candle), older);
    if (this.sized) this._volume.update(this._size(candle), older);
  }

  /**
   * @param {LevelShape[]} levels
   * @param {number | null} price only the levels around it are named
   */
  setLevels(levels, price) {
    this._lines.set(levels, price, this._theme);
  }

  /** @param {ZoneShape[]} zones */
  setZones(zones) {
    this._boxes.set(zones, this._theme);
  }

  /** @param {Mark[]} marks */
  setMarks(marks) {
    this._marks = marks;
    this._markers.setMarkers(marks.map((mark) => this._marker(mark)));
  }

  /** @param {boolean} shown */
  setVolumeShown(shown) {
    this._volumeShown = shown;
    this._showVolume();
  }

  /** @param {Times} times */
  setTimes(times) {
    this._times = times;
    this._chart.applyOptions({
      localization: {
        timeFormatter: (/** @type {any} */ at) => crosshairLabel(at, this._timeframe, times),
      },
      timeScale: {
        tickMarkFormatter: (/** @type {any} */ at, /** @type {number} */ type) =>
          tickLabel(at, type, this._timeframe, times),
      },
    });
  }

  /** Take on the page's colours. */
  setTheme() {
    const theme = readTheme();
    this._theme = theme;
    this._chart.applyOptions({
      layout: {
        background: { color: "transparent" },
        textColor: theme.muted,
        fontFamily: theme.font,
        fontSize: 12,
      },
      grid: { vertLines: { color: theme.grid }, horzLines: { color: theme.grid } },
      crosshair: {
        vertLine: { color: theme.faint, labelBackgroundColor: theme.muted },
        horzLine: { color: theme.faint, labelBackgroundColor: theme.muted },
      },
    });
    this._candles.applyOptions({
      upColor: theme.up,
      downColor: theme.down,
      wickUpColor: theme.up,
      wickDownColor: theme.down,
    });
    this._lines.colour(theme);
    this._boxes.colour(theme);
    this.setMarks(this._marks);
    this.setSource(this._source);
  }

  /**
   * Say on the canvas itself, which pictures are taken of, that a market is not happening now.
   * @param {string} source
   */
  setSource(source) {
    this._source = source;
    const text = unreal(source)?.label.toUpperCase() ?? "";
    const color = faded(this._theme.muted, 0.12);
    this._watermark.applyOptions({ lines: [{ text, color, fontSize: 36, fontStyle: "600" }] });
  }

  /** Show the newest candles at a width that can be read. */
  showNewest() {
    const narrow = this._element.clientWidth < NARROW_PX;
    const most = narrow ? CANDLES_IN_VIEW / 2 : CANDLES_IN_VIEW;
    const wanted = Math.min(most, Math.max(CANDLES_IN_VIEW_MIN, this._candles.data().length));
    const spacing = Math.max(3, (this._element.clientWidth - 70) / (wanted + 6));
    this._chart.timeScale().applyOptions({ barSpacing: spacing });
    this._chart.timeScale().scrollToPosition(Math.ceil(LABELS_PX / spacing), false);
  }

  /**
   * Move by so many candles, to the past if negative.
   * @param {number} candles
   */
  move(candles) {
    const scale = this._chart.timeScale();
    // The scale tells its position as of the last frame, and a held key is faster than frames.
    if (this._goal === null) requestAnimationFrame(() => (this._goal = null));
    this._goal = (this._goal ?? scale.scrollPosition()) + candles;
    scale.scrollToPosition(this._goal, false);
  }

  /** @param {number} factor above 1 shows fewer candles, wider */
  zoom(factor) {
    const scale = this._chart.timeScale();
    const spacing = scale.options().barSpacing * factor;
    scale.applyOptions({ barSpacing: Math.min(60, Math.max(1.5, spacing)) });
  }

  /** @param {(openAt: number | null) => void} hovered the start of the candle, null when it ends */
  onHover(hovered) {
    this._chart.subscribeCrosshairMove(({ time }) => {
      hovered(typeof time === "number" ? time * 1e6 : null);
    });
  }

  /** @param {() => void} wanted the view comes near the oldest candle */
  onHistoryWanted(wanted) {
    this._chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < HISTORY_AHEAD) wanted();
    });
  }

  _showVolume() {
    this._volume.applyOptions({ visible: this.sized && this._volumeShown });
  }

  /** @param {Candle} candle */
  _candle(candle) {
    const { open, high, low, close } = candle;
    return { time: seconds(candle.open_at), open, high, low, close };
  }

  /** @param {Candle} candle */
  _size(candle) {
    const rising = candle.close >= candle.open;
    const color = faded(rising ? this._theme.up : this._theme.down, 0.35);
    return { time: seconds(candle.open_at), value: candle.volume, color };
  }

  /**
   * @param {Mark} mark
   * @returns {import("lightweight-charts").SeriesMarker<import("lightweight-charts").Time>}
   */
  _marker({ open_at, action, direction }) {
    const long = direction === "long";
    return {
      time: seconds(open_at),
      position: long ? "belowBar" : "aboveBar",
      color: long ? this._theme.up : this._theme.down,
      shape: shapeOf(action, long),
      size: ARROWS.includes(action) ? 1 : 0.6,
    };
  }
}

/**
 * @param {string} action
 * @param {boolean} long
 */
function shapeOf(action, long) {
  if (ARROWS.includes(action)) return long ? "arrowUp" : "arrowDown";
  return action === "sweep" ? "square" : "circle";
}
