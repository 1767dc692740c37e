"""The log: partitions, topics, leases, commits, and the runtime that drives stages over them."""
