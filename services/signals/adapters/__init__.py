"""The outside of the service: rule files."""
