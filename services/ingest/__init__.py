"""Ingest: prices from a feed come in, the spine and closed candles go out.

Reads the feed that the settings name (a simulated market, a recorded file, later the providers)
and the partitions' inboxes. Writes ``tick`` (the spine) and ``candle_closed``. Owns instruments and
their sessions, watchlists, the feeds, and the open candles.
"""
