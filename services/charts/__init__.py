"""Charts: what people look at, over HTTP, WebSocket and one page.

Reads ``candle_closed``, ``level_computed``, ``signal_generated`` and ``alert_fired`` from the log
and the forming candles from the views. Writes nothing to the log and owns nothing yet but its
memory of what is recent, which it rebuilds from the log whenever it starts.
"""
