"""Migrations of the service's tables, one file a step."""
