"""The frame around every service: settings, lifecycle, health, metrics, documents."""
