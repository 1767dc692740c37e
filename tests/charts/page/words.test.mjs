/** What the page says: names, numbers, times, addresses and states. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { liveness } from "../../../services/charts/page/assets/badge.js";
import { Candles } from "../../../services/charts/page/assets/candles.js";
import { backoffMs } from "../../../services/charts/page/assets/connection.js";
import { Times, formatChange, formatPrice, formatSpan } from "../../../services/charts/page/assets/format.js";
import { levelNames } from "../../../services/charts/page/assets/levels.js";
import { formatRoute, parseRoute } from "../../../services/charts/page/assets/route.js";
import { unreal } from "../../../services/charts/page/assets/source.js";
import { marksOf } from "../../../services/charts/page/assets/signals.js";

test("levels are named as people say them", () => {
  assert.deepEqual(levelNames("previous_day.high"), { long: "Yesterday’s high", short: "PDH" });
  assert.deepEqual(levelNames("pivot.classic.pp"), { long: "Pivot", short: "PP" });
  assert.deepEqual(levelNames("pivot.classic.r1"), { long: "Pivot R1", short: "R1" });
  assert.deepEqual(levelNames("pivot.camarilla.s3"), { long: "Pivot S3 Camarilla", short: "S3" });
  assert.deepEqual(levelNames("swing:5.low"), { long: "Swing low", short: "SL" });
  assert.deepEqual(levelNames("donchian:20.upper"), { long: "Channel high", short: "CH" });
  assert.deepEqual(levelNames("atr_stop:14:3.lower"), { long: "ATR stop", short: "ATR" });
  assert.deepEqual(levelNames("round_number:3.above"), { long: "Round number", short: "RN" });
  assert.deepEqual(levelNames("opening_range:30.high"), { long: "Opening range high", short: "ORH" });
  assert.deepEqual(levelNames("vwap.band_up"), { long: "Vwap band up", short: "Band up" });
});

test("prices have the instrument's places", () => {
  assert.equal(formatPrice(24180.5, 2), "24,180.50");
  assert.equal(formatPrice(1.1, 5), "1.10000");
});

test("a change has its sign, and none where it rounds to nothing", () => {
  assert.equal(formatChange(101, 100), "+1.00%");
  assert.equal(formatChange(99, 100), "−1.00%");
  assert.equal(formatChange(100.001, 100), "0.00%");
});

test("spans are told in the unit that fits", () => {
  assert.equal(formatSpan(12_900), "12 s");
  assert.equal(formatSpan(95_000), "2 min");
  assert.equal(formatSpan(7_200_000), "2 h");
});

test("times are those of the zone", () => {
  const at = Date.UTC(2026, 10, 20, 9, 5, 7) * 1000;
  const times = new Times("utc");
  assert.deepEqual([times.clock(at), times.seconds(at), times.day(at)], ["09:05", "09:05:07", "20 Nov"]);
  assert.equal(times.label, "UTC");
});

test("the address names a chart and comes back", () => {
  const route = { symbol: "NIFTY 50", timeframe: "5m" };
  assert.equal(formatRoute(route), "#NIFTY%2050/5m");
  assert.deepEqual(parseRoute("#NIFTY%2050/5m"), route);
  assert.deepEqual(parseRoute("#GC%3DF/1h"), { symbol: "GC=F", timeframe: "1h" });
});

test("an address that names no chart is none", () => {
  for (const hash of ["", "#", "#EURUSD", "#EURUSD/7m", "#/5m", "#%E0/5m"]) {
    assert.equal(parseRoute(hash), null, hash);
  }
});

test("attempts to reconnect grow apart, up to ten seconds", () => {
  assert.equal(backoffMs(0, 0), 400);
  assert.equal(backoffMs(3, 0), 3200);
  assert.equal(backoffMs(30, 0), 10_000);
  assert.ok(backoffMs(3, 1) >= 2100);
});

test("the badge says what is known", () => {
  const good = { link: "open", reason: "", logAway: false, quietMs: 0, data: "" };
  assert.equal(liveness(good).state, "live");
  assert.equal(liveness({ ...good, quietMs: 31_000 }).text, "No new price for 31 s");
  assert.equal(liveness({ ...good, quietMs: 31_000, data: "fresh" }).state, "live");
  assert.equal(liveness({ ...good, data: "stale" }).text, "Prices have stopped");
  assert.equal(liveness({ ...good, quietMs: 31_000, data: "closed" }).state, "closed");
  assert.equal(liveness({ ...good, logAway: true }).state, "stale");
  assert.equal(liveness({ ...good, link: "reconnecting", logAway: true }).state, "reconnecting");
  assert.equal(liveness({ ...good, link: "reconnecting", reason: "full" }).text, "full");
});

test("what a closed candle decided stands at that candle", () => {
  const candles = new Candles();
  candles.put({ open_at: 60, at: 120, open: 1, high: 1, low: 1, close: 1, volume: 0, closed: true });
  const signal = { at: 120, action: "condition", direction: "short", reason: "crossed" };
  assert.equal(marksOf([signal], candles)[0].open_at, 60);
});

test("a market that is not happening now is called so", () => {
  assert.equal(unreal("demo").label, "Simulated");
  assert.equal(unreal("file-eurusd").label, "Recorded");
  assert.equal(unreal("demo_of_a_provider"), null);
  assert.equal(unreal("ibkr"), null);
});

test("signals of a kind at one candle are one mark, those in no candle none", () => {
  const candles = new Candles();
  candles.put({ open_at: 60, at: 120, open: 1, high: 1, low: 1, close: 1, volume: 0, closed: true });
  const signal = { at: 60, action: "break", direction: "long", reason: "first" };
  const signals = [{ ...signal, at: 119, reason: "second" }, signal, { ...signal, at: 120 }];
  assert.deepEqual(marksOf(signals, candles), [
    { open_at: 60, action: "break", direction: "long", reasons: ["first", "second"] },
  ]);
});
