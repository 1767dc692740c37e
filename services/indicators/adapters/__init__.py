"""The outside of the service: tables of subscriptions, and what its API reads of the log."""
