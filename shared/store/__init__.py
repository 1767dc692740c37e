"""Tables: one SQLite file a service, or one schema a service where ``DATABASE_URL`` is set."""
