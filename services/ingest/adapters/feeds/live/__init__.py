"""Live prices: providers that are asked or that speak, one active source a symbol."""
