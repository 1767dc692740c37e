"""Indicators, one a file: numbers computed from a timeframe's candles."""
