"""Routes: which signal goes to which channel."""

from typing import Any

import pytest

from services.notifier.domain.routes import Route, Routes
from tests.notifier.samples import a_signal


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        ({}, True),
        ({"symbols": ("EURUSD",)}, True),
        ({"symbols": ("DAX",)}, False),
        ({"symbols": ("DAX", "EUR*")}, True),
        ({"configs": ("liq*",)}, True),
        ({"configs": ("breakout",)}, False),
        ({"actions": ("break", "sweep")}, False),
        ({"actions": ("touch",), "symbols": ("EUR*",), "configs": ("liquidity",)}, True),
        ({"actions": ("touch",), "symbols": ("eur*",)}, False),
    ],
)
def test_route_takes_what_matches_all_of_its_patterns(route: dict[str, Any], taken: bool) -> None:
    """Configuration, symbol and action must all match; upper and lower case differ."""
    assert Route(("desk",), **route).takes(a_signal()) is taken


def test_channels_of_all_matching_routes_are_used_once_in_order() -> None:
    """Routes add up; a channel named by two of them gets the alert once."""
    routes = Routes.of(
        [
            Route(("desk", "console")),
            Route(("night",), symbols=("DAX",)),
            Route(("console", "phone"), actions=("touch",)),
        ]
    )
    assert routes.channels(a_signal()) == ("desk", "console", "phone")


def test_digest_names_the_routes() -> None:
    """Equal routes have equal digests, and any difference shows."""
    one = Routes.of([Route(("console",))])
    assert one.digest == Routes.of([Route(("console",))]).digest
    assert one.digest != Routes.of([Route(("console",), symbols=("DAX",))]).digest
    assert len(one.digest) == 16
