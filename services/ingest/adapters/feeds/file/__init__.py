"""Recorded ticks or candles, played from a CSV or Parquet file."""
