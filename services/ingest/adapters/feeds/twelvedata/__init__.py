"""Twelve Data over HTTP: the transport, the reading of its bodies, the provider."""
