"""Interactive Brokers, by TWS or IB Gateway: prices as they are made, and candles of the past."""
