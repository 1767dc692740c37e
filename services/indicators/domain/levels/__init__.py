"""Levels, one family a file: prices and zones that matter, with the life of each."""
