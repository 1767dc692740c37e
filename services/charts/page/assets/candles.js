/** The candles of one chart, in order and each once, however often and in whatever order they come. */

const CAPACITY = 20_000;

/**
 * What a candle changed: nothing, the newest one (or a newer one came), a known older one, or it
 * filled a hole.
 * @typedef {"none" | "newest" | "older" | "filled"} Placed
 */

export class Candles {
  constructor() {
    /** @type {Candle[]} */
    this.all = [];
  }

  /** @returns {Candle | undefined} */
  get newest() {
    return this.all.at(-1);
  }

  /** @returns {Candle | undefined} */
  get oldest() {
    return this.all[0];
  }

  /** The start of the newest window that is over, from which a new connection continues. */
  get since() {
    for (let i = this.all.length - 1; i >= 0; i -= 1) {
      if (this.all[i].closed) return this.all[i].open_at;
    }
    return null;
  }

  /**
   * Take in one candle. A forming candle never replaces a closed one.
   * @param {Candle} candle
   * @returns {Placed}
   */
  put(candle) {
    const place = this._place(candle.open_at);
    const known = this.all[place];
    if (known === undefined) {
      this.all.push(candle);
      this._trim();
      return "newest";
    }
    if (known.open_at !== candle.open_at) {
      if (!candle.closed) return "none";
      this.all.splice(place, 0, candle);
      this._trim();
      return "filled";
    }
    if (known.closed && !candle.closed) return "none";
    this.all[place] = candle;
    return place === this.all.length - 1 ? "newest" : "older";
  }

  /**
   * Take in many candles in order, such as a page of history.
   * @param {Candle[]} candles
   */
  merge(candles) {
    for (const candle of candles) this.put(candle);
  }

  /**
   * Whether a run of candles that a server sent continues these without a hole, or has to replace
   * them: because more was missed than it sent, or because its market is at an earlier time.
   * @param {Candle[]} candles closed ones, in order
   * @param {Candle | null} newest the server's newest
   */
  continuedBy(candles, newest) {
    const since = this.since;
    if (since === null) return this.all.length === 0;
    if (newest === null || newest.open_at < since) return false;
    return candles.length > 0 && candles[0].open_at <= since;
  }

  /**
   * The index of the first candle that opened at this time or later.
   * @param {number} openAt
   */
  _place(openAt) {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.all[middle].open_at < openAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The candle whose half-open window holds a time.
   * @param {number} at
   * @returns {Candle | undefined}
   */
  holding(at) {
    const candle = this.all[this._place(at + 1) - 1];
    return candle !== undefined && at < candle.at ? candle : undefined;
  }

  _trim() {
    if (this.all.length > CAPACITY) this.all.splice(0, this.all.length - CAPACITY);
  }
}
