"""Prices told as they are made, laid over candles that are asked for."""
