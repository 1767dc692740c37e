"""Rule sets over HTTP: kept in tables, in force once the spine has told them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.signals.domain.rules import RuleSet
from shared.bus.partitions import partition_of
from shared.bus.redis_log import RedisLog
from tests.conftest import Database
from tests.signals.house import Spines, asking

RULES = "/api/v1/rules"


def body(name: str = "mine", ticks: int = 3) -> dict[str, Any]:
    """A set of one rule."""
    when = {
        "kind": "touch",
        "timeframe": "1d",
        "levels": ["previous_day.high"],
        "within_ticks": ticks,
    }
    return {"name": name, "symbols": ["TEST"], "rules": [{"name": "high", "when": when}]}


@pytest.fixture
async def client(redis_log: RedisLog, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(redis_log, database) as made:
        yield made


@pytest.fixture
def spines(redis_log: RedisLog) -> Spines:
    return Spines(redis_log)


async def test_a_set_is_accepted_and_then_applied(
    client: httpx.AsyncClient, spines: Spines
) -> None:
    """202 until the spines of all partitions have told it."""
    answer = await client.post(RULES, json=body())
    made = answer.json()
    assert (answer.status_code, made["applied"], made["revision"]) == (202, False, 1)
    assert answer.headers["etag"] == '"1"'
    assert made["warnings"] == ["no price of 'TEST' has come yet; rules on it wait"]
    assert await spines.apply() == ["liquidity", "mine"]
    shown = (await client.get(f"{RULES}/mine")).json()
    assert (shown["applied"], shown["version"]) == (True, made["version"])
    assert shown["body"]["rules"][0]["when"]["within_ticks"] == 3


async def test_the_list_names_configured_sets_too(
    client: httpx.AsyncClient, spines: Spines
) -> None:
    """The union of the settings' sets and those kept, by name."""
    await client.post(RULES, json=body())
    await spines.apply()
    listed = (await client.get(RULES)).json()["rules"]
    assert [(one["name"], one["source"], one["applied"]) for one in listed] == [
        ("liquidity", "configured", True),
        ("mine", "stored", True),
    ]


async def test_a_change_is_a_version(client: httpx.AsyncClient, spines: Spines) -> None:
    """The old one stays readable, and is what is in force until the spine tells the new one."""
    await client.post(RULES, json=body())
    await spines.apply()
    changed = await client.put(
        f"{RULES}/mine", json=body(ticks=9), headers={"X-User-Id": "ann", "If-Match": '"1"'}
    )
    assert (changed.status_code, changed.json()["applied"]) == (202, False)
    await spines.apply()
    assert (await client.get(f"{RULES}/mine")).json()["applied"]
    versions = (await client.get(f"{RULES}/mine/versions")).json()["versions"]
    assert [(one["revision"], one["saved_by"]) for one in versions] == [(2, "ann"), (1, "local")]
    ticks = [one["body"]["rules"][0]["when"]["within_ticks"] for one in versions]
    assert ticks == [9, 3]


async def test_a_change_of_what_was_changed_is_refused(client: httpx.AsyncClient) -> None:
    """Two people edit: the second is told, and nothing of the first is lost."""
    await client.post(RULES, json=body())
    await client.put(f"{RULES}/mine", json=body(ticks=9), headers={"If-Match": '"1"'})
    late = await client.put(f"{RULES}/mine", json=body(ticks=5), headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["revision"]) == (412, 2)
    shown = (await client.get(f"{RULES}/mine")).json()
    assert shown["body"]["rules"][0]["when"]["within_ticks"] == 9


async def test_a_set_can_be_switched_off_and_on(client: httpx.AsyncClient, spines: Spines) -> None:
    """Off means withdrawn from the spine; on means told anew."""
    await client.post(RULES, json=body())
    await spines.apply()
    off = (await client.post(f"{RULES}/mine/deactivate")).json()
    assert (off["is_active"], off["applied"]) == (False, False)
    assert await spines.apply() == ["mine"]
    assert (await client.get(f"{RULES}/mine")).json()["applied"]
    await client.post(f"{RULES}/mine/activate")
    await spines.apply()
    on = (await client.get(f"{RULES}/mine")).json()
    assert (on["is_active"], on["applied"], on["revision"]) == (True, True, 3)


async def test_a_deleted_set_is_withdrawn_and_its_name_free(
    client: httpx.AsyncClient, spines: Spines
) -> None:
    """What comes under the name later goes on counting its revisions."""
    await client.post(RULES, json=body())
    await spines.apply()
    assert (await client.delete(f"{RULES}/mine")).status_code == 202
    assert await spines.apply() == ["mine"]
    assert (await client.get(f"{RULES}/mine")).status_code == 404
    again = await client.post(RULES, json=body(ticks=5))
    assert (again.status_code, again.json()["revision"]) == (202, 3)


@pytest.mark.parametrize(
    ("broken", "pointer", "detail"),
    [
        ({"within_tick": 3}, "/rules/0/when/within_tick", "did you mean within_ticks?"),
        ({"kind": "tuch"}, "/rules/0/when", "did you mean touch?"),
        ({"timeframe": "7m"}, "/rules/0/when/timeframe", "not '7m'"),
        ({"levels": []}, "/rules/0/when/levels", "at least 1 item"),
    ],
)
async def test_errors_point_at_the_field(
    client: httpx.AsyncClient, broken: dict[str, Any], pointer: str, detail: str
) -> None:
    """A JSON pointer into the body, and how to mend it."""
    sent = body()
    sent["rules"][0]["when"] |= broken
    answer = await client.post(RULES, json=sent)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert detail in error["detail"]


async def test_every_error_is_told(client: httpx.AsyncClient) -> None:
    """Not only the first: a form can mark all of its fields."""
    sent = body(name="No Name")
    sent["rules"][0]["when"]["within_ticks"] = -1
    pointers = [one["pointer"] for one in (await client.post(RULES, json=sent)).json()["errors"]]
    assert pointers == ["/name", "/rules/0/when/within_ticks"]


async def test_a_name_stands_for_one_set(client: httpx.AsyncClient) -> None:
    """Neither a kept nor a configured name can be taken; what is configured is not changed here."""
    await client.post(RULES, json=body())
    taken = await client.post(RULES, json=body())
    assert (taken.status_code, taken.json()["detail"]) == (
        409,
        "there is a rule set 'mine' already; PUT changes it",
    )
    for answer in (
        await client.post(RULES, json=body("liquidity")),
        await client.put(f"{RULES}/liquidity", json=body("liquidity")),
        await client.delete(f"{RULES}/liquidity"),
    ):
        assert answer.status_code == 409
        assert "comes from the settings" in answer.json()["detail"]


async def test_a_set_tells_what_its_rules_wait_for(
    client: httpx.AsyncClient, redis_log: RedisLog
) -> None:
    """As the stage's view of each symbol says, of this version only; and of whom they look at."""
    level = {"kind": "below", "left": "close of VIX", "right": 20}
    when = {"kind": "candle", "timeframe": "15m", "direction": "long", "condition": level}
    asked = {**body(), "rules": [{"name": "high", "when": when}]}
    made = (await client.post(RULES, json=asked)).json()
    silent = [
        f"no price of {symbol!r} has come yet; rules on it wait" for symbol in ("TEST", "VIX")
    ]
    assert made["warnings"] == silent
    version = RuleSet.model_validate(asked).rules[0].version
    waiting = {f"mine.high@{version}": ["VIX 15m candle"], "mine.high@00000000": ["of old"]}
    key = redis_log.keys.view(partition_of("TEST", redis_log.partitions), "signals")
    await redis_log.redis.hset(key, "TEST", json.dumps({"waiting": waiting}))
    shown = (await client.get(f"{RULES}/mine")).json()
    assert shown["warnings"] == [*silent, "rule high waits on TEST for VIX 15m candle"]


async def test_a_configured_name_hides_a_kept_one(
    client: httpx.AsyncClient, redis_log: RedisLog, database: Database
) -> None:
    """Where the settings take a user's name later, the list says which one is in force."""
    await client.post(RULES, json=body("structure"))
    async with asking(redis_log, database, sets=("structure",)) as later:
        listed = (await later.get(RULES)).json()["rules"]
    assert [(one["source"], one["applied"]) for one in listed] == [
        ("stored", False),
        ("configured", False),
    ]
    assert "rename one" in listed[0]["warnings"][0]


async def test_shipped_sets_can_be_taken_as_a_beginning(client: httpx.AsyncClient) -> None:
    """Each is a body that is accepted under another name."""
    shipped = (await client.get("/api/v1/rule-sets/built-in")).json()["rules"]
    assert {"liquidity", "structure"} <= {one["name"] for one in shipped}
    for one in shipped:
        answer = await client.post(RULES, json={**one, "name": f"my_{one['name']}"})
        assert answer.status_code == 202, answer.text
