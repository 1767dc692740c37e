"""Yahoo, by its chart address and by its WebSocket: transport, reading, providers."""
