/** Prices and times as people read them. Times come in microseconds UTC. */

const LOCALE = "en-GB";

/**
 * @param {number} price
 * @param {number} decimals
 */
export function formatPrice(price, decimals) {
  return price.toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/**
 * How far one price is from another, as `+0.42%`.
 * @param {number} price
 * @param {number} from
 */
export function formatChange(price, from) {
  const percent = (price / from - 1) * 100;
  const digits = Math.abs(percent).toFixed(2);
  if (digits === "0.00") return "0.00%";
  return `${percent > 0 ? "+" : "−"}${digits}%`;
}

/** Times in one zone. */
export class Times {
  /** @param {ZoneName} zone */
  constructor(zone) {
    this.zone = zone;
    const timeZone = zone === "utc" ? "UTC" : undefined;
    /** @param {Intl.DateTimeFormatOptions} options */
    const format = (options) =>
      new Intl.DateTimeFormat(LOCALE, { ...options, timeZone, hourCycle: "h23" });
    this._clock = format({ hour: "2-digit", minute: "2-digit" });
    this._seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this._day = format({ day: "numeric", month: "short" });
    this._long = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
    this._month = format({ month: "short" });
    this._year = format({ year: "numeric" });
  }

  /** @param {number} at */
  clock(at) {
    return this._clock.format(at / 1000);
  }

  /** @param {number} at */
  seconds(at) {
    return this._seconds.format(at / 1000);
  }

  /** @param {number} at */
  day(at) {
    return this._day.format(at / 1000);
  }

  /** @param {number} at */
  long(at) {
    return this._long.format(at / 1000);
  }

  /** @param {number} at */
  month(at) {
    return this._month.format(at / 1000);
  }

  /** @param {number} at */
  year(at) {
    return this._year.format(at / 1000);
  }

  /** The zone's name with its offset now, as people should read it beside a time. */
  get label() {
    if (this.zone === "utc") return "UTC";
    const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return `local time (${name})`;
  }
}

/**
 * A span of time in the largest unit that fits, as `12 s` or `3 min`.
 * @param {number} ms
 */
export function formatSpan(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
