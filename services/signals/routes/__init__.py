"""The HTTP routes, one set a module."""
