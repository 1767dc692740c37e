"""The pure part of ingest: instruments, sessions, the spine's writer, candles."""
