"""Levels and indicators: closed candles in, everything known of each timeframe out.

Reads ``candle_closed`` and writes one ``level_computed`` for each of them. Owns the state of every
indicator and level, per symbol and timeframe.
"""
