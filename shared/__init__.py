"""What two services must agree on and nothing else: events, markets, the bus, clocks, health."""
