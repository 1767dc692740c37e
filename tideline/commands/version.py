"""``tideline version``."""

from importlib.metadata import version as installed

from tideline.terminal import Terminal


def version() -> None:
    """Print Tideline's version."""
    Terminal().out(f"tideline {installed('tideline')}")
