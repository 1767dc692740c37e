"""docs/channels.md says what is so: its example, its snippet, its settings, its metrics."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from services.notifier.adapters.channels.webhook import signed
from services.notifier.adapters.meters import Meters
from services.notifier.domain.delivery import Schedule
from services.notifier.domain.intake import REMEMBERED
from services.notifier.domain.payload import payload
from services.notifier.settings import (
    ConsoleSection,
    NotifierSection,
    RetrySection,
    RouteSection,
    WebhookSection,
)
from shared.events.signal import Action
from tests.notifier.samples import an_intent

PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The page's only block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def test_example_is_what_a_webhook_gets() -> None:
    """The documented body is the one that is sent, field by field and in that order."""
    example = json.loads(block("json"))
    assert list(example.items()) == list(payload(an_intent("webhook")).items())


def test_every_field_of_the_body_is_explained() -> None:
    """Each field has its place in the table of fields."""
    table = PAGE.partition("| field | type | meaning |")[2].partition("###")[0]
    explained = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row[:60])}
    assert set(payload(an_intent())) <= explained


def test_snippet_accepts_what_is_ours_and_nothing_else() -> None:
    """The published verification, run: genuine passes; changed, foreign and stale do not."""
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 - the page's own snippet
    verify = names["verify"]
    secret, body, sent = b"0123456789abcdef", b'{"type":"alert"}', 1_795_166_103
    headers = signed(body, secret, sent)
    assert verify(secret, headers, body, sent + 2.5)
    assert not verify(secret, headers, body + b" ", sent)
    assert not verify(b"fedcba9876543210", headers, body, sent)
    assert not verify(secret, headers, body, sent + 301)
    assert not verify(secret, headers | {"X-Tideline-Timestamp": str(sent + 1)}, body, sent)


@pytest.mark.parametrize(
    ("prefix", "section"),
    [
        ("TIDELINE_NOTIFIER__", NotifierSection),
        ("TIDELINE_NOTIFIER__CONSOLE__", ConsoleSection),
        ("TIDELINE_NOTIFIER__WEBHOOK__", WebhookSection),
        ("TIDELINE_NOTIFIER__RETRY__", RetrySection),
    ],
)
def test_every_setting_is_documented(prefix: str, section: type[BaseModel]) -> None:
    """Each setting stands on the page with its full name."""
    named = set(re.findall(r"TIDELINE_[A-Z_]+", PAGE))
    for name in section.model_fields:
        full = f"{prefix}{name.upper()}"
        assert any(one == full or one.startswith(f"{full}__") for one in named), full


@pytest.mark.parametrize("section", [WebhookSection, RetrySection])
def test_documented_defaults_are_the_real_ones(section: type[BaseModel]) -> None:
    """Numbers in the tables of settings are those in force without a setting."""
    for name, field in section.model_fields.items():
        row = re.search(rf"^\| `TIDELINE_\w+__{name.upper()}`.*\| (.*) \|$", PAGE, re.MULTILINE)
        assert row is not None, name
        if isinstance(field.default, bool):
            assert row[1] == f"`{str(field.default).lower()}`"
        elif isinstance(field.default, int | float):
            assert float(row[1]) == field.default, name


def test_keys_of_a_route_are_documented() -> None:
    """Each key of a route has a row."""
    assert [name for name in RouteSection.model_fields if f"\n| `{name}` |" not in PAGE] == []


def test_actions_are_documented() -> None:
    """Both tables name every action there is."""
    listed = ", ".join(f"`{action}`" for action in get_args(Action))
    assert PAGE.count(listed) == 2


def test_metrics_are_documented() -> None:
    """Each metric has a row with its name."""
    registry = CollectorRegistry()
    Meters(registry)
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"\n| `{name}` |" in PAGE


def test_figures_in_the_text_are_true() -> None:
    """Nineteen minutes of tries, and the number of signals that the intake remembers."""
    schedule = Schedule()
    waits = [schedule.wait_s(n) for n in range(1, schedule.attempts_max)]
    assert round(sum(waits) / 60) == 19
    assert f"the last {REMEMBERED} signals" in PAGE
    assert RetrySection().schedule() == schedule
