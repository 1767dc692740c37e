"""What a rule is, and how the price's way past a level becomes a signal: pure and synchronous."""
