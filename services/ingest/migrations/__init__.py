"""The steps of ingest's tables, one file each; they run by themselves (see shared/store)."""
