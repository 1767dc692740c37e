/** Older candles, fetched when somebody moves that far into the past. */

const PAGE = 1000;

export class History {
  /** @param {import("./view.js").ChartView} view */
  constructor(view) {
    this._view = view;
    this._loading = false;
    /** @type {string | null} the chart of which there is nothing older */
    this._exhausted = null;
  }

  /** Fetch the page before the oldest candle, one at a time. */
  async more() {
    const { route, candles } = this._view;
    const chart = `${route.symbol}/${route.timeframe}`;
    const oldest = candles.oldest;
    if (this._loading || oldest === undefined || this._exhausted === chart) return;
    this._loading = true;
    try {
      const page = await this._fetch(route, oldest.open_at);
      if (page === null || this._view.candles !== candles) return;
      if (page.next_before === null) this._exhausted = chart;
      if (page.candles.length > 0) this._view.prepend(page.candles);
    } finally {
      this._loading = false;
    }
  }

  /** Look again, because another chart was opened. */
  reset() {
    this._exhausted = null;
  }

  /**
   * @param {Route} route
   * @param {number} before
   * @returns {Promise<{ candles: Candle[], next_before: number | null } | null>} null if it failed
   */
  async _fetch({ symbol, timeframe }, before) {
    const query = new URLSearchParams({
      symbol,
      timeframe,
      before: String(before),
      limit: String(PAGE),
    });
    try {
      const response = await fetch(`api/v1/candles?${query}`);
      return response.ok ? await response.json() : null;
    } catch {
      return null; // the connection's own badge tells that the server is away
    }
  }
}
