"""Words of the market that every service shares: timeframes and instruments."""
