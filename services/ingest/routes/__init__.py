"""HTTP routes of ingest, one question or request a module; ``api.py`` puts them together."""
