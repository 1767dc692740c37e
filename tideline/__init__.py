"""The command line and the launcher: the only place that knows every service."""
