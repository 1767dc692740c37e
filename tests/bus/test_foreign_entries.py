"""A foreign entry of any type in our streams becomes a dead letter that says what is wrong."""

import asyncio
from dataclasses import replace

import pytest

from shared.bus.poison import dead_letter
from shared.bus.redis_log import RedisLog
from shared.bus.stage_worker import StageWorker
from shared.bus.tasks import end
from shared.clock import SystemClock
from shared.events import DeadLetter
from shared.events.codec import PUBLIC_EVENTS, Poison, decode, decode_one
from shared.events.evidence import digest
from shared.events.schemas import wire_schema
from tests.bus.toys import COUNT
from tests.events.entries import Sample, samples

EVERY = samples()
MODELS = {model.TYPE: model for model in PUBLIC_EVENTS}
# Neither a number nor JSON.
RUBBISH = "{much"


def kind(sample: Sample) -> str:
    return sample.fields[1]


def without(sample: Sample, name: str) -> tuple[str, ...]:
    place = sample.fields[::2].index(name) * 2
    return sample.fields[:place] + sample.fields[place + 2 :]


def with_(sample: Sample, name: str, value: str) -> tuple[str, ...]:
    place = sample.fields[::2].index(name) * 2
    return (*sample.fields[: place + 1], value, *sample.fields[place + 2 :])


def needed(sample: Sample) -> list[str]:
    """The fields that an entry of its type cannot do without."""
    required: list[str] = wire_schema(MODELS[kind(sample)])["required"]
    return [name for name in required if name not in ("type", "v")]


def typed(sample: Sample) -> list[str]:
    """The fields whose text stands for a number, a truth or a nested value."""
    properties = wire_schema(MODELS[kind(sample)])["properties"]
    plain = {"type", "v"} | {
        name for name, part in properties.items() if part.get("type") == "string"
        and "contentSchema" not in part
    }  # fmt: skip
    return [
        name for name in sample.fields[::2] if name not in plain and "enum" not in properties[name]
    ]


def test_every_type_has_a_sample() -> None:
    """So that none is left out below."""
    assert {kind(sample) for sample in EVERY} == set(MODELS)


@pytest.mark.parametrize("sample", EVERY, ids=lambda one: one.name)
def test_a_missing_field_is_named(sample: Sample) -> None:
    """Whichever of them it is."""
    assert needed(sample)
    for name in needed(sample):
        found = decode_one(without(sample, name))
        assert isinstance(found, Poison), name
        assert f"{kind(sample)}: {name}" in found.reason


@pytest.mark.parametrize("sample", EVERY, ids=lambda one: one.name)
def test_a_value_of_the_wrong_type_is_named(sample: Sample) -> None:
    """Text where a number belongs, broken JSON where a nested value does."""
    assert typed(sample)
    for name in typed(sample):
        found = decode_one(with_(sample, name, RUBBISH))
        assert isinstance(found, Poison), name
        assert found.reason.startswith(f"{kind(sample)}: {name}")


@pytest.mark.parametrize("sample", EVERY, ids=lambda one: one.name)
@pytest.mark.parametrize("version", ["0", "99", "-1", "one", ""])
def test_an_unknown_version_is_named(sample: Sample, version: str) -> None:
    """With the one that can be read."""
    found = decode_one(with_(sample, "v", version))
    assert isinstance(found, Poison)
    assert f"version {version!r} cannot be read" in found.reason


@pytest.mark.parametrize("sample", EVERY, ids=lambda one: one.name)
def test_its_dead_letter_keeps_all_of_it(sample: Sample) -> None:
    """The fields as they came, their digest, the reason, and where it stood."""
    fields = without(sample, needed(sample)[0])
    poison = decode_one(fields)
    assert isinstance(poison, Poison)
    letter = dead_letter("candles", "tick", "5-0", poison)
    assert decode_one([str(value) for value in letter.wire()]) == letter
    assert (letter.stage, letter.topic, letter.entry) == ("candles", "tick", "5-0")
    assert (tuple(letter.body), letter.digest) == (fields, digest(fields))
    assert letter.reason == poison.reason


async def test_a_stage_steps_over_each_of_them(redis_log: RedisLog) -> None:
    """In the order in which they stand; a stage that bears all of it (its share is 1) goes on."""
    foreign = [without(sample, needed(sample)[0]) for sample in EVERY]
    foreign += [with_(sample, typed(sample)[0], RUBBISH) for sample in EVERY]
    foreign += [with_(sample, "v", "99") for sample in EVERY]
    for fields in foreign:
        await redis_log.append(0, "tick", fields)
    worker = StageWorker(redis_log, replace(COUNT, dead_share=1.0), "w", SystemClock())
    running = asyncio.create_task(worker.run())
    letters: list[DeadLetter] = []
    after = "0-0"
    async with asyncio.timeout(60):
        while len(letters) < len(foreign):
            read = await redis_log.read({(0, "dead_letter"): after}, count=500, block_ms=1_000)
            for entry, one in decode(read.get((0, "dead_letter"), [])):
                assert isinstance(one, DeadLetter)
                letters.append(one)
                after = entry
    await end([running])
    assert [tuple(one.body) for one in letters] == foreign
