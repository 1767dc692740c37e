"""How long a lease lasts."""

# A commit renews its lease. Three seconds is far above a commit's time or a long pause of the
# interpreter, and keeps a takeover after a crash well under the six seconds promised.
LEASE_TTL_MS = 3_000
