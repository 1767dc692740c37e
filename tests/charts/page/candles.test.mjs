/** The page's candles: in order and each once, whatever comes how often. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Candles } from "../../../services/charts/page/assets/candles.js";

const MINUTE = 60_000_000;

function candle(minute, { close = 1, closed = true } = {}) {
  const open_at = minute * MINUTE;
  return { open_at, at: open_at + MINUTE, open: 1, high: 2, low: 0.5, close, volume: 0, closed };
}

function minutes(candles) {
  return candles.all.map((one) => one.open_at / MINUTE);
}

function holding(...all) {
  const candles = new Candles();
  candles.merge(all);
  return candles;
}

test("a newer candle comes at the end", () => {
  const candles = holding(candle(1));
  assert.equal(candles.put(candle(2)), "newest");
  assert.deepEqual(minutes(candles), [1, 2]);
});

test("a candle that is known is not doubled", () => {
  const candles = holding(candle(1), candle(2));
  assert.equal(candles.put(candle(2, { close: 1.5 })), "newest");
  assert.equal(candles.put(candle(1, { close: 1.5 })), "older");
  assert.deepEqual(minutes(candles), [1, 2]);
});

test("a candle that was missed fills its hole", () => {
  const candles = holding(candle(1), candle(3));
  assert.equal(candles.put(candle(2)), "filled");
  assert.deepEqual(minutes(candles), [1, 2, 3]);
});

test("a forming candle never replaces a closed one", () => {
  const candles = holding(candle(1), candle(2, { close: 1.2 }));
  assert.equal(candles.put(candle(2, { close: 9, closed: false })), "none");
  assert.equal(candles.put(candle(0, { closed: false })), "none");
  assert.equal(candles.newest.close, 1.2);
});

test("the close replaces what was forming", () => {
  const candles = holding(candle(1), candle(2, { close: 9, closed: false }));
  candles.put(candle(2, { close: 1.2 }));
  assert.deepEqual([candles.newest.close, candles.newest.closed], [1.2, true]);
});

test("a connection continues from the last candle that is over", () => {
  assert.equal(holding().since, null);
  assert.equal(holding(candle(1), candle(2, { closed: false })).since, MINUTE);
});

test("a run that reaches back to it continues without a hole", () => {
  const candles = holding(candle(1), candle(2));
  assert.equal(candles.continuedBy([candle(2), candle(3)], candle(4)), true);
  assert.equal(candles.continuedBy([candle(4), candle(5)], candle(5)), false);
});

test("a server whose market is at an earlier time replaces everything", () => {
  const candles = holding(candle(10));
  assert.equal(candles.continuedBy([], candle(3)), false);
  assert.equal(candles.continuedBy([], null), false);
});

test("a time lies in the candle whose half-open window holds it", () => {
  const candles = holding(candle(1), candle(3));
  assert.equal(candles.holding(MINUTE).open_at, MINUTE);
  assert.equal(candles.holding(2 * MINUTE - 1).open_at, MINUTE);
  assert.equal(candles.holding(2 * MINUTE), undefined);
  assert.equal(candles.holding(0), undefined);
});
