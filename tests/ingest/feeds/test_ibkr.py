"""IBKR over the wire, against a small TWS: prices, candles, and everything that breaks."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.ingest.domain.asking import Answer, Ask, Given, ProviderFault, Refused
from shared.bus.keys import Keys
from shared.bus.redis_log import RedisLog
from shared.bus.tasks import end
from tests.ingest.feeds.fake_tws import FakeTws
from tests.ingest.feeds.ibkr_desk import (
    MES,
    NAMES,
    NOW,
    SECOND,
    VIX,
    Desk,
    S,
    fault,
    until,
)
from tests.ingest.lines import at


@pytest.fixture
async def desk(redis_log: RedisLog, keys: Keys) -> AsyncIterator[Desk]:
    """A TWS that listens, and nobody who asks it."""
    async with FakeTws().serving() as tws:
        yield Desk(tws, redis_log, keys)


def rows(*bars: Sequence[object]) -> list[tuple[str, ...]]:
    return [tuple(map(str, bar)) for bar in bars]


async def test_prices_come_each_in_its_way(desk: Desk) -> None:
    """Trades with the exchange's second, last prices with tick type 45, quotes as their middle."""
    async with desk.following():
        trades = await desk.request(97, "MES")
        desk.tws.say(99, trades, 1, S - 3, 5000.25, 2, 0, "CME", "")
        await desk.heard(1)
        lasts = await desk.request(1, "VIX")
        desk.tws.say(1, 1, lasts, 4, 17.5, 0, 0)
        desk.tws.say(46, 1, lasts, 45, S - 1)
        await desk.heard(2)
        quotes = await desk.request(1, "EUR")
        desk.tws.say(1, 1, quotes, 1, 1.125, 0, 0)
        desk.tws.say(1, 1, quotes, 2, 1.25, 0, 0)
        found = await desk.heard(3)
    assert found[0] == ("MES", (S - 3) * SECOND, 5000.25, 2.0)
    symbol, when, price, _ = found[1]
    # The time may come in a packet of its own: then the price is of its arrival.
    assert (symbol, price) == ("VIX", 17.5)
    assert when in ((S - 1) * SECOND, NOW)
    assert found[2] == ("EURUSD", NOW, 1.1875, 0.0)


async def test_a_future_is_followed_in_its_leading_month(desk: Desk) -> None:
    """The continuous contract is looked up, and the contract behind it subscribed."""
    async with desk.following({MES: "MES"}):
        await desk.request(97, "MES")
    (asked,) = [one for one in desk.tws.asked if one[0] == "9"]
    (followed,) = [one for one in desk.tws.asked if one[0] == "97"]
    assert asked[5] == "CONTFUT"
    assert followed[2:5] == ["11", "MES", "FUT"]


async def test_a_symbol_that_tws_does_not_know_stops_no_other(desk: Desk) -> None:
    """No security definition (200), and a name that is none: the others are followed."""
    names = {"FUT:NIX:CME:USD:202612": "NIX", "MES": "BAD", **NAMES}
    async with desk.following(names):
        trades = await desk.request(97, "MES")
        desk.tws.say(99, trades, 1, S, 5000, 1, 0, "CME", "")
        assert (await desk.heard(1))[0][0] == "MES"


async def test_without_permission_one_symbol_is_refused(desk: Desk) -> None:
    """Not subscribed to its prices (354): told by symbol, until a price comes after all."""
    async with desk.following() as (provider, _):
        lasts = int(await desk.request(1, "VIX"))
        desk.tws.note(354, "Requested market data is not subscribed", lasts)
        await until(lambda: "VIX" in provider.refused)
        assert "code 354" in provider.refused["VIX"]
        desk.tws.say(1, 1, lasts, 4, 17.5, 0, 0)
        await desk.heard(1)
        assert provider.refused == {}


async def test_where_trades_are_not_to_be_had_last_prices_are(desk: Desk) -> None:
    """Error 10189, or more symbols than TWS follows trade by trade: market data instead."""
    desk.tws.no_trades.add("MES")
    async with desk.following({MES: "MES"}):
        lasts = await desk.request(1, "MES")
        desk.tws.say(1, 1, lasts, 4, 5000.5, 3, 0)
        assert await desk.heard(1) == [("MES", NOW, 5000.5, 3.0)]
    desk.tws.asked.clear()
    async with desk.following({MES: "MES"}, tick_by_tick_max=0):
        await desk.request(1, "MES")
        assert desk.tws.requests(97, "MES") == []


async def test_a_connection_lost_in_mid_stream_is_told_and_made_again(desk: Desk) -> None:
    """The stream ends with a fault; asked again it resolves and subscribes anew."""
    async with desk.following() as (provider, task):
        await desk.request(97, "MES")
        desk.tws._writers[0].write(b"\0\0\0\x20half a message")
        await desk.tws.hang_up()
        assert (await fault(task)).kind == "connection"
        again = asyncio.create_task(desk._follow(provider, NAMES))
        trades = await desk.request(97, "MES", 2)
        desk.tws.say(99, trades, 1, S, 5001, 1, 0, "CME", "")
        assert await desk.heard(1) == [("MES", S * SECOND, 5001.0, 1.0)]
        await end([again])


async def test_a_connection_made_anew_by_a_question_is_followed_anew(desk: Desk) -> None:
    """A question of the past that finds the connection gone makes another: whoever follows prices
    hears of it, and does not wait for a dead one."""
    async with desk.following({MES: "MES"}) as (provider, task):
        await desk.request(97, "MES")
        await provider.close()
        await provider.candles([ask()])
        assert (await fault(task)).kind == "connection"


@pytest.mark.parametrize(
    ("cut", "back"),
    [
        ((1100, "Connectivity has been lost"), (1101, "restored, data lost")),
        ((1100, "Connectivity has been lost"), (1102, "restored, data maintained")),
        ((2103, "farm connection is broken:usfuture"), (2104, "connection is OK:usfuture")),
        ((2103, "farm connection is broken:usfuture"), (2108, "inactive but ready:usfuture")),
    ],
)
async def test_what_tws_lost_is_subscribed_anew(
    desk: Desk, cut: tuple[int, str], back: tuple[int, str]
) -> None:
    """Once its servers or a farm are there again, everything is; the old subscriptions end."""
    async with desk.following():
        first = await desk.request(97, "MES")
        desk.tws.note(*cut)
        desk.tws.note(*back)
        second = await desk.request(97, "MES", 2)
        await desk.request(1, "VIX", 2)
        await desk.request(1, "EUR", 2)
        desk.tws.say(99, first, 1, S, 1, 1, 0, "CME", "")
        desk.tws.say(99, second, 1, S, 5001, 1, 0, "CME", "")
        assert (await desk.heard(1))[0][2] == 5001.0
    assert ["98", first] in desk.tws.asked


async def test_farms_that_greet_change_nothing(desk: Desk) -> None:
    """TWS says of each farm at the start that it is well: that is no reason to begin anew."""
    async with desk.following():
        # Before it greets nobody hears what it says.
        await desk.request(97, "MES")
        desk.tws.note(2104, "Market data farm connection is OK:eufarm")
        trades = await desk.request(97, "MES")
        desk.tws.say(99, trades, 1, S, 5001, 1, 0, "CME", "")
        await desk.heard(1)
        assert len(desk.tws.requests(97, "MES")) == 1


async def test_a_silent_symbol_is_subscribed_anew_in_its_session_only(desk: Desk) -> None:
    """MES says nothing for 90 s: again. VIX is as silent, but closed; EURUSD has spoken."""
    desk.closed = {"VIX"}
    async with desk.following() as (provider, _):
        quotes = await desk.request(1, "EUR")
        await desk.request(97, "MES")
        desk.wall.at += 60 * SECOND
        desk.tws.say(1, 1, quotes, 1, 1.125, 0, 0)
        desk.tws.say(1, 1, quotes, 2, 1.25, 0, 0)
        await desk.heard(1)
        desk.wall.at += 31 * SECOND
        await desk.request(97, "MES", 2)
        assert len(desk.tws.requests(1, "EUR")) == 1
        assert len(desk.tws.requests(1, "VIX")) == 1
        ((_, counts),) = provider.metrics()
        assert dict(counts)["resubscribed",] == 1


async def test_while_tws_is_cut_off_silence_is_no_fault_of_a_symbol(desk: Desk) -> None:
    """No price can come; after half an hour the connection itself is given up."""
    async with desk.following() as (provider, task):
        await desk.request(97, "MES")
        desk.tws.note(1100, "Connectivity has been lost")
        await until(lambda: provider._lines is not None and provider._lines._cut_at is not None)
        desk.wall.at += 300 * SECOND
        await asyncio.sleep(1.5)
        assert len(desk.tws.requests(97, "MES")) == 1
        desk.wall.at += 1_600 * SECOND
        assert "cut off" in str(await fault(task))


async def test_a_client_id_that_somebody_has_is_passed_over(desk: Desk) -> None:
    """Refused by TWS (326) the next is tried; replicas lease theirs and never collide."""
    desk.tws.taken_ids = {"7"}
    async with desk.following({MES: "MES"}):
        await desk.begun.wait()
        other = Desk(desk.tws, desk.log, desk.keys)
        async with other.following({VIX: "VIX"}):
            await other.begun.wait()
            assert desk.tws.client_ids == ["7", "8", "7", "9"]
    third = desk.provider()
    desk.tws.taken_ids = {"7", "8", "9"}
    with pytest.raises(ProviderFault, match="all client ids from 7 to 9 are taken"):
        await anext(aiter(third.prices({VIX: "VIX"})))
    await third.close()


async def test_nobody_who_listens_is_one_clear_fault(desk: Desk) -> None:
    """A TWS that is not started, and one that says nothing to the greeting."""
    absent = desk.provider(port=1)
    with pytest.raises(ProviderFault, match=r"TWS at 127\.0\.0\.1:1"):
        await anext(aiter(absent.prices(NAMES)))
    desk.tws.is_mute = True
    mute = desk.provider(timeout_s=0.2)
    with pytest.raises(ProviderFault, match=r"TWS at 127\.0\.0\.1"):
        await anext(aiter(mute.prices(NAMES)))
    await absent.close()
    await mute.close()


async def test_what_cannot_be_read_is_counted_and_the_rest_is_heard(desk: Desk) -> None:
    """Messages of no known number, with too few fields, with words for numbers."""
    async with desk.following({MES: "MES"}) as (provider, _):
        trades = await desk.request(97, "MES")
        desk.tws.say("x", 1)
        desk.tws.say(9_999)
        desk.tws.say(99, trades, 1)
        desk.tws.say(99, trades, 1, "soon", 5000, 1, 0, "CME", "")
        desk.tws.say(99, trades, 1, S, -1, 1, 0, "CME", "")
        desk.tws.say(99, trades, 1, S, 5001, 1, 0, "CME", "")
        assert await desk.heard(1) == [("MES", S * SECOND, 5001.0, 1.0)]
        ((_, counts),) = provider.metrics()
        assert dict(counts)["malformed",] == 4


def ask(symbol: str = "MES", name: str = MES) -> Ask:
    return Ask(symbol, name, "1m", at("13:58"), at("14:00"))


async def test_candles_of_the_past_are_those_asked_for(desk: Desk) -> None:
    """Bars of the stretch, with their opening in seconds; no volume is none, not -1."""
    desk.tws.bars = rows(
        (at("13:57") // SECOND, 1, 1, 1, 1, 1, 1, 1),
        (at("13:58") // SECOND, 10, 12, 9, 11, 100, 10.5, 7),
        (at("13:59") // SECOND, 11, 13, 10, 12, -1, 11.5, 8),
        (at("14:00") // SECOND, 1, 1, 1, 1, 1, 1, 1),
        ("20260610", 1, 1, 1, 1, 1, 1, 1),
    )
    provider = desk.provider()
    replies = await provider.candles([ask()])
    await provider.close()
    assert replies == {
        "MES": Answer(
            (
                Given(at("13:58"), 10.0, 12.0, 9.0, 11.0, 100.0),
                Given(at("13:59"), 11.0, 13.0, 10.0, 12.0, 0.0),
            )
        )
    }
    (asked,) = [one for one in desk.tws.asked if one[0] == "20"]
    assert asked[15:21] == ["20260610-14:00:00", "1 min", "180 S", "0", "TRADES", "2"]


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        ((162, "Historical Market Data Service error message:HMDS query returned no data"), ()),
        ((200, "No security definition"), "No security definition (code 200)"),
    ],
)
async def test_a_past_that_is_not_there_is_told(
    desk: Desk, error: tuple[int, str], reply: object
) -> None:
    """No data is an empty answer; what is not permitted is refused for that symbol."""
    desk.tws.bars_error = error
    provider = desk.provider()
    (found,) = (await provider.candles([ask()])).values()
    await provider.close()
    assert found == (Answer(()) if reply == () else Refused(str(reply)))


async def test_too_many_questions_are_asked_later(desk: Desk) -> None:
    """A pacing violation holds the provider up for a minute; our own count prevents it."""
    desk.tws.bars_error = (162, "Historical data request pacing violation")
    provider = desk.provider()
    with pytest.raises(ProviderFault) as caught:
        await provider.candles([ask()])
    assert (caught.value.kind, caught.value.retry_after_s) == ("limit", 60.0)
    assert await provider.room(59, NOW) == (59, 0.0)
    assert await provider.room(2, NOW + 6 * SECOND) == (1, 54.0)
    assert await provider.room(2, NOW + 61 * SECOND) == (2, 0.0)
    await provider.close()
