/** What the API and the WebSocket say; docs/charts.md is the contract. Times are µs UTC. */

declare module "*/lightweight-charts.mjs" {
  export * from "lightweight-charts";
}

interface Candle {
  open_at: number;
  at: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  closed: boolean;
}

interface LevelShape {
  timeframe: string;
  key: string;
  ref: string;
  price: number;
  side: "resistance" | "support" | "pivot";
  formed_at: number;
  confirmed_at: number;
}

interface ZoneShape {
  timeframe: string;
  key: string;
  low: number;
  high: number;
  side: "resistance" | "support" | "pivot";
  formed_at: number;
  confirmed_at: number;
  status: string;
}

interface Signal {
  id: string;
  symbol: string;
  at: number;
  timeframe: string;
  rule: string;
  action: "touch" | "break" | "sweep" | "retest" | "condition";
  direction: "long" | "short";
  level: string;
  level_price: number;
  price: number;
  gap: boolean;
  reason: string;
}

interface Alert {
  id: string;
  symbol: string;
  at: number;
  fired_at: number;
  channel: string;
  status: "delivered" | "failed";
  attempts: number;
  text: string;
  detail: string;
  signal_id: string;
  signal: Signal | null;
}

interface MarketSymbol {
  symbol: string;
  timeframes: string[];
  source: string;
  decimals: number;
  price: number;
  at: number;
  previous_close: number | null;
  data: DataStatus;
}

type DataStatus = "fresh" | "late" | "stale" | "closed" | "";

interface Update {
  type: "full_update" | "candle_update";
  seq: number;
  symbol: string;
  timeframe: string;
  candle: Candle | null;
  provisional: boolean;
  source: string;
  timestamp: number;
  signals?: Record<string, Array<Signal | LevelShape | ZoneShape>>;
  levels?: LevelShape[];
  snapshot?: boolean;
  candles?: Candle[];
  alerts?: Alert[];
  decimals?: number;
}

interface Route {
  symbol: string;
  timeframe: string;
}

type ZoneName = "utc" | "local";
