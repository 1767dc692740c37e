"""The AsyncAPI document: what a service writes and reads, as a foreign reader would use it."""

import json
import re
from typing import Any

import pytest

from shared.bus.keys import Keys
from shared.bus.topics import TOPICS, StageName
from shared.events.schemas import FOLDER
from shared.service.document_page import page
from shared.service.documents import document, read, types, written
from tests.service.toys import running, toy

KEYS = Keys("house", 4)
FULL = document("all", KEYS, [*TOPICS, "ops"], ["tick"])


def resolved(whole: dict[str, Any], reference: str) -> Any:
    """What a reference points to."""
    found: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@pytest.mark.parametrize(
    ("stages", "writes", "reads"),
    [
        (
            ["feed", "candles"],
            ["tick", "candle_closed", "dead_letter", "ops"],
            ["inbox", "pushed", "tick"],
        ),
        (["signals"], ["signal_generated", "dead_letter", "ops"], ["tick", "level_computed"]),
        ([], ["ops"], []),
    ],
)
def test_stages_say_what_a_service_writes_and_reads(
    stages: list[StageName], writes: list[str], reads: list[str]
) -> None:
    """Every service tells operators, and every stage has dead letters."""
    assert written(stages) == writes
    assert read(stages) == reads


def test_an_address_with_its_tag_is_a_key() -> None:
    """A reader puts a partition's tag into the address and has the stream."""
    channel = FULL["channels"]["level_computed"]
    tags = channel["parameters"]["tag"]["enum"]
    assert [channel["address"].replace("{tag}", tag) for tag in tags] == [
        KEYS.topic(partition, "level_computed") for partition in range(4)
    ]
    assert FULL["channels"]["ops"]["address"] == KEYS.ops()
    assert "parameters" not in FULL["channels"]["ops"]


def test_every_payload_is_the_published_schema() -> None:
    """What stands in ``docs/schemas`` stands here too."""
    schemas = FULL["components"]["schemas"]
    published = {path.stem: json.loads(path.read_bytes()) for path in FOLDER.iterdir()}
    known = {name: schema for name, schema in schemas.items() if name in published}
    assert known.keys() == published.keys()
    for name, schema in known.items():
        assert {"$schema", "$id"} | schema.keys() == published[name].keys()
        assert {**published[name], **schema} == published[name]


def test_every_reference_points_somewhere() -> None:
    """Operations to channels and their messages, messages to components, these to schemas."""
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(FULL))
    assert len(references) > 40
    for reference in references:
        assert resolved(FULL, reference)
    channel = FULL["channels"]["tick"]
    assert [*channel["messages"]] == [f"{model.TYPE}.v1" for model in types("tick")]
    assert FULL["operations"]["write_tick"]["action"] == "send"
    assert FULL["operations"]["read_tick"]["action"] == "receive"


def test_component_names_are_what_asyncapi_allows() -> None:
    """Letters, digits, points, dashes, underscores."""
    for group in FULL["components"].values():
        assert [name for name in group if not re.fullmatch(r"[\w.-]+", name, re.ASCII)] == []


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """It reads without a network and runs nothing."""
    html = page(FULL)
    assert html.startswith('<!doctype html><html lang="en">')
    assert "<script" not in html
    assert "://" not in html
    for topic, channel in FULL["channels"].items():
        assert f'<h2 id="{topic}">' in html
        assert f"<code>{channel['address']}</code>" in html


def test_the_page_says_how_each_field_is_written() -> None:
    """Text, a number, JSON, a choice, or empty."""
    html = page(FULL)
    for row in (
        "<code>symbol</code><td>text<td>",
        "<code>at</code><td>integer<td>microseconds since 1970, UTC",
        "<code>price</code><td>number<td>",
        "<code>windows</code><td>JSON<td>",
        "<code>gap</code><td>0 | 1<td>",
        "<code>expires_at</code><td>empty, or integer<td>",
        "<code>type</code><td>always tick<td>",
    ):
        assert row in html


async def test_a_service_serves_its_document(server_url: str, keys: Keys) -> None:
    """The page and the JSON behind it, and nothing that could write to the log."""
    service = toy(server_url, keys)

    @service.broker.subscribe("signal_generated", group="toy", consumer="toy-1")
    async def hear(batch: object) -> None:
        """Nothing."""

    async with running(service) as client:
        found = (await client.get("/asyncapi.json")).json()
        shown = await client.get("/asyncapi")
        assert (await client.post("/asyncapi/try", json={})).status_code == 404
    assert found == service.document()
    assert found["info"]["title"] == "Tideline: toy"
    assert list(found["operations"]) == [
        *("write_candle_closed", "write_dead_letter", "write_ops"),
        *("read_tick", "read_signal_generated"),
    ]
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "candle_closed.v1" in shown.text
