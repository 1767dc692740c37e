"""Prices that other programs give, by HTTP or on Redis channels."""
