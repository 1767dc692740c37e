/** The page: one route, one connection, one view. */

import { AlertList } from "./alerts.js";
import { Badge } from "./badge.js";
import { PriceChart } from "./chart.js";
import { Connection } from "./connection.js";
import { byId, make, say } from "./dom.js";
import { Times, formatPrice } from "./format.js";
import { History } from "./history.js";
import { MarketList } from "./markets.js";
import { DEFAULT_TIMEFRAME, TIMEFRAMES, formatRoute, parseRoute, sameRoute } from "./route.js";
import { unreal } from "./source.js";
import { onThemeChange } from "./theme.js";
import { ChartView } from "./view.js";

const SYMBOLS_EVERY_MS = 3000;
const BADGE_EVERY_MS = 1000;

class Page {
  constructor() {
    this.times = new Times("utc");
    this.chart = new PriceChart(byId("chart"), this.times);
    this.view = new ChartView(this.chart);
    this.history = new History(this.view);
    this.alerts = new AlertList(this.times);
    this.markets = new MarketList();
    this.badge = new Badge();
    /** @type {Connection | null} */
    this.connection = null;
    /** @type {Route | null} */
    this.route = null;
    /** @type {MarketSymbol[]} */
    this.symbols = [];
    this.pulse = { link: /** @type {any} */ ("connecting"), reason: "", logAway: false };
    this.changedAt = performance.now();
  }

  start() {
    this._buildTimeframes();
    this._listen();
    this.go();
    this.refreshSymbols();
    setInterval(() => this.refreshSymbols(), SYMBOLS_EVERY_MS);
    setInterval(() => this.showPulse(), BADGE_EVERY_MS);
  }

  /** Show the chart that the address names, or the first there is. */
  go() {
    const first = this.symbols[0]?.symbol;
    const route =
      parseRoute(location.hash) ??
      (first === undefined ? null : { symbol: first, timeframe: DEFAULT_TIMEFRAME });
    if (route === null || sameRoute(route, this.route)) return;
    this.route = route;
    if (parseRoute(location.hash) === null) history.replaceState(null, "", formatRoute(route));
    this.notice("Loading candles…");
    this.view.open(route);
    this.history.reset();
    this.markets.select(route);
    this.showRoute(route);
    this.connect();
  }

  connect() {
    this.connection?.close();
    this.changedAt = performance.now();
    this.connection = new Connection({
      address: () => this.address(),
      onMessage: (message) => this.hear(message),
      onState: (link, reason) => {
        this.pulse = { ...this.pulse, link, reason };
        if (link === "reconnecting" && this.view.candles.newest === undefined) {
          this.notice(reason || "The server cannot be reached. Trying again…");
        }
        this.showPulse();
      },
    });
  }

  /** The WebSocket's address: beside the page, whatever path that is under. */
  address() {
    const { symbol, timeframe } = /** @type {Route} */ (this.route);
    const path = `ws/market/${encodeURIComponent(symbol)}/${timeframe}?alerts=all`;
    const url = new URL(path, document.baseURI);
    url.hash = "";
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const since = this.view.candles.since;
    if (since !== null) url.searchParams.set("since", String(since));
    return url.href;
  }

  /** @param {any} message */
  hear(message) {
    switch (message.type) {
      case "full_update":
      case "candle_update":
        if (message.snapshot) this.begin(message);
        else this.view.read(message);
        this.notice(this.view.candles.newest === undefined ? this.nothingYet() : "");
        this.pulse.logAway = false;
        this.changedAt = performance.now();
        this.showPrice();
        break;
      case "signal":
        this.view.addSignal(message.signal);
        break;
      case "alert":
        this.alerts.add(message.alert);
        break;
      case "ping":
        this.pulse.logAway = message.log === "away";
        break;
      default: // a newer server may say more
    }
    this.showPulse();
  }

  nothingYet() {
    const { symbol, timeframe } = /** @type {Route} */ (this.route);
    return `There are no ${timeframe} candles of ${symbol} yet. The first shows when prices come.`;
  }

  /** @param {Update} snapshot */
  begin(snapshot) {
    const replaced = this.view.begin(snapshot);
    this.alerts.begin(snapshot.alerts ?? [], replaced);
    this.showSource(unreal(snapshot.source));
    byId("volume-choice").hidden = !this.chart.sized;
    byId("chart").setAttribute("aria-label", this.view.description);
  }

  /** @param {import("./source.js").Unreal | null} market */
  showSource(market) {
    const badge = byId("unreal");
    badge.hidden = market === null;
    say(badge, market?.label ?? "");
    badge.title = market?.title ?? "";
  }

  async refreshSymbols() {
    if (document.hidden) return;
    try {
      const response = await fetch("api/v1/symbols");
      if (!response.ok) return;
      this.symbols = (await response.json()).symbols;
    } catch {
      return; // the badge tells that the server is away
    }
    this.markets.show(this.symbols, this.route);
    const own = this.symbols.find((one) => one.symbol === this.route?.symbol);
    if (own !== undefined) this.view.setPreviousClose(own.previous_close);
    this.go();
  }

  showPulse() {
    const own = this.symbols.find((one) => one.symbol === this.route?.symbol);
    const quietMs = performance.now() - this.changedAt;
    this.badge.show({ ...this.pulse, quietMs, data: own?.data ?? "" });
  }

  showPrice() {
    const newest = this.view.candles.newest;
    if (newest === undefined || this.route === null) return;
    this.markets.setPrice(this.route.symbol, newest.close, this.view.decimals);
    const price = formatPrice(newest.close, this.view.decimals);
    const badge = byId("unreal");
    const unreal = badge.hidden ? "" : ` (${badge.textContent?.toLowerCase()})`;
    document.title = `${this.route.symbol} ${price}${unreal} · Tideline`;
  }

  /** @param {Route} route */
  showRoute(route) {
    say(byId("symbol"), route.symbol);
    for (const input of document.querySelectorAll("#timeframes input")) {
      if (input instanceof HTMLInputElement) input.checked = input.value === route.timeframe;
    }
  }

  /** @param {string} text empty to take it away */
  notice(text) {
    say(byId("notice-text"), text);
    byId("notice").hidden = text === "";
  }

  _buildTimeframes() {
    for (const timeframe of TIMEFRAMES) {
      const input = document.createElement("input");
      input.type = "radio";
      input.name = "timeframe";
      input.value = timeframe;
      byId("timeframes").append(make("label", "", input, make("span", "", timeframe)));
    }
  }

  _listen() {
    addEventListener("hashchange", () => this.go());
    addEventListener("online", () => this.connection?.hurry());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.connection?.hurry();
    });
    byId("timeframes").addEventListener("change", ({ target }) => {
      const symbol = this.route?.symbol ?? "";
      if (target instanceof HTMLInputElement && symbol !== "") {
        location.hash = formatRoute({ symbol, timeframe: target.value });
      }
    });
    byId("layers").addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.view.show({ [target.name]: target.checked });
    });
    byId("zones").addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.setZone(/** @type {ZoneName} */ (target.value));
    });
    byId("chart").addEventListener("keydown", (event) => this._key(event));
    this.chart.onHistoryWanted(() => this.history.more());
    onThemeChange(() => this.chart.setTheme());
  }

  /** @param {ZoneName} zone */
  setZone(zone) {
    this.times = new Times(zone);
    this.chart.setTimes(this.times);
    this.alerts.setTimes(this.times);
    say(byId("zone-note"), `Times are ${this.times.label}.`);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.chart.move(-10),
      ArrowRight: () => this.chart.move(10),
      "+": () => this.chart.zoom(1.25),
      "=": () => this.chart.zoom(1.25),
      "-": () => this.chart.zoom(0.8),
      End: () => this.chart.showNewest(),
    };
    if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }
}

export const page = new Page();
page.start();
