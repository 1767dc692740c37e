/** One chart and what stands around it: takes messages in and shows them. */

import { Candles } from "./candles.js";
import { byId, make, say } from "./dom.js";
import { formatPrice } from "./format.js";
import { LevelList } from "./levels.js";
import { showChange } from "./markets.js";
import { marksOf, signalsIn, zonesIn } from "./signals.js";

/** @typedef {import("./chart.js").PriceChart} PriceChart */

const SIGNALS_KEPT = 1000;

export class ChartView {
  /** @param {PriceChart} chart */
  constructor(chart) {
    this.chart = chart;
    this.candles = new Candles();
    this.shown = { levels: true, signals: true, volume: true };
    this.decimals = 2;
    /** @type {Route} */
    this.route = { symbol: "", timeframe: "" };
    /** @type {LevelShape[]} */
    this._levels = [];
    /** @type {ZoneShape[]} */
    this._zones = [];
    /** @type {Map<string, Signal>} */
    this._signals = new Map();
    /** @type {number | null} */
    this._previousClose = null;
    this._levelList = new LevelList();
    this._price = byId("price");
    this._change = byId("change");
    this._legend = byId("legend");
    this._hovered = /** @type {number | null} */ (null);
    chart.onHover((openAt) => {
      this._hovered = openAt;
      this._showLegend();
    });
  }

  /**
   * Begin to show another chart.
   * @param {Route} route
   */
  open(route) {
    const sameSymbol = route.symbol === this.route.symbol;
    this.route = route;
    this.candles = new Candles();
    this._levels = [];
    this._zones = [];
    this._signals = new Map();
    this._hovered = null;
    this.chart.setMarks([]);
    this.chart.setLevels([], null);
    this.chart.setZones([]);
    this.chart.setCandles([]);
    if (!sameSymbol) {
      this._previousClose = null;
      say(this._price, "\u00a0");
    }
    this._showLegend();
  }

  /**
   * Take in the state that a connection begins with.
   * @param {Update} update
   * @returns {boolean} whether it replaced everything, because it does not continue what was known
   */
  begin(update) {
    const fresh = this.candles.newest === undefined;
    const candles = update.candles ?? [];
    if (!this.candles.continuedBy(candles, update.candle)) this.candles = new Candles();
    const replaced = this.candles.newest === undefined;
    this.candles.merge(candles);
    if (update.candle !== null) this.candles.put(update.candle);
    this.decimals = update.decimals ?? this.decimals;
    this.chart.reset(update.timeframe, this.decimals);
    this.chart.setSource(update.source);
    this.chart.setCandles(this.candles.all);
    if (fresh || replaced) this.chart.showNewest();
    if (replaced) this._signals = new Map();
    this.read(update);
    if (fresh) this._levelList.centre();
    return replaced;
  }

  /**
   * Take in candles from before the oldest known one.
   * @param {Candle[]} candles
   */
  prepend(candles) {
    this.candles.merge(candles);
    this.chart.setCandles(this.candles.all);
    this._showMarks();
  }

  /**
   * Take in a candle, and what the message tells beside it.
   * @param {Update} update
   */
  read(update) {
    const known = this.candles.newest;
    if (update.candle !== null && update.snapshot !== true) {
      const placed = this.candles.put(update.candle);
      if (placed === "filled") this.chart.setCandles(this.candles.all);
      else if (placed !== "none") this.chart.update(update.candle, placed === "older");
    }
    const newest = this.candles.newest;
    if (update.levels !== undefined) this._levels = update.levels;
    if (update.signals !== undefined) this._zones = zonesIn(update.signals);
    for (const signal of signalsIn(update.signals ?? {})) this._keep(signal);
    if (update.levels !== undefined) this._showLevels();
    if (update.signals !== undefined || newest?.open_at !== known?.open_at) this._showMarks();
    this._showPrice();
    this._showLegend();
  }

  /** @param {Signal} signal */
  addSignal(signal) {
    this._keep(signal);
    this._showMarks();
  }

  /** @param {Partial<{ levels: boolean, signals: boolean, volume: boolean }>} layers */
  show(layers) {
    this.shown = { ...this.shown, ...layers };
    this.chart.setVolumeShown(this.shown.volume);
    this._showLevels();
    this._showMarks();
  }

  /** @param {number | null} price */
  setPreviousClose(price) {
    this._previousClose = price;
    this._showPrice();
  }

  /** What the chart shows, in one sentence. */
  get description() {
    const newest = this.candles.newest;
    const { symbol, timeframe } = this.route;
    const price = newest === undefined ? "no price yet" : formatPrice(newest.close, this.decimals);
    return `Candlestick chart of ${symbol}, ${timeframe}, ${price}, ${this._levels.length} levels`;
  }

  /** @param {Signal} signal */
  _keep(signal) {
    this._signals.set(signal.id, signal);
    const first = this._signals.keys().next();
    if (this._signals.size > SIGNALS_KEPT && !first.done) this._signals.delete(first.value);
  }

  _showPrice() {
    const price = this.candles.newest?.close;
    if (price === undefined) return;
    say(this._price, formatPrice(price, this.decimals));
    showChange(this._change, price, this._previousClose);
    this._levelList.setPrice(price);
  }

  _showLevels() {
    const price = this.candles.newest?.close;
    this._levelList.show(this._levels, this._zones, this.decimals);
    this._levelList.setPrice(price);
    this.chart.setLevels(this.shown.levels ? this._levels : [], price ?? null);
    this.chart.setZones(this.shown.levels ? this._zones : []);
  }

  _marks() {
    return marksOf([...this._signals.values()], this.candles);
  }

  _showMarks() {
    this.chart.setMarks(this.shown.signals ? this._marks() : []);
  }

  _showLegend() {
    const hovered = this._hovered === null ? undefined : this.candles.holding(this._hovered);
    const candle = hovered ?? this.candles.newest;
    if (candle === undefined) {
      this._legend.replaceChildren();
      return;
    }
    const trend = candle.close >= candle.open ? "up" : "down";
    /** @type {[string, number][]} */
    const prices = [
      ["O", candle.open],
      ["H", candle.high],
      ["L", candle.low],
      ["C", candle.close],
    ];
    const parts = prices.map(([name, price]) =>
      make("span", "", `${name} `, make("b", trend, formatPrice(price, this.decimals))),
    );
    if (candle.volume > 0) {
      const volume = candle.volume.toLocaleString("en-US", { maximumFractionDigits: 0 });
      parts.push(make("span", "", "Vol ", make("b", "", volume)));
    }
    const rows = [make("div", "", ...parts)];
    if (hovered !== undefined && this.shown.signals) {
      const here = this._marks().filter((mark) => mark.open_at === hovered.open_at);
      rows.push(...here.flatMap((mark) => mark.reasons).map((reason) => make("div", "", reason)));
    }
    this._legend.replaceChildren(...rows);
  }
}
