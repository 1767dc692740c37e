"""Every metric's name in one place, and the collector that reads the loops' own accounts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.bus.progress import Progress

MetricName = Literal[
    "tideline_stage_partitions",
    "tideline_stage_turn_age_seconds",
    "tideline_stage_wait_seconds",
    "tideline_stage_events_total",
    "tideline_stage_behind_entries",
    "tideline_stage_event_lag_seconds",
    "tideline_stage_lost_entries",
    "tideline_stage_commits_total",
    "tideline_stage_lease_moves_total",
    "tideline_stage_waits_total",
    "tideline_stage_dead_letters_total",
    "tideline_stage_held_partitions",
    "tideline_reader_behind_entries",
    "tideline_reader_expelled_partitions",
    "tideline_reader_lost_entries",
    "tideline_log_away_seconds",
    "tideline_price_age_seconds",
    "tideline_price_status",
    "tideline_pushed_total",
    "tideline_ibkr",
    "tideline_recorder_entries_total",
    "tideline_recorder_failures_total",
    "tideline_alerts_total",
    "tideline_alert_retries_total",
    "tideline_alerts_waiting",
    "tideline_provider_calls_total",
    "tideline_provider_rows_dropped_total",
    "tideline_provider_state",
]
METRICS: dict[MetricName, str] = {
    "tideline_stage_partitions": "partitions that this process owns of the stage",
    "tideline_stage_turn_age_seconds": "seconds since the stage's loop last came round",
    "tideline_stage_wait_seconds": "how long the longest waiting partition has waited now",
    "tideline_stage_events_total": "events written, by type",
    "tideline_stage_behind_entries": "entries of its inputs that the stage has not decided on",
    "tideline_stage_event_lag_seconds": "time in the market from the last entry decided on to the "
    "newest",
    "tideline_stage_lost_entries": "entries trimmed before the stage read them: an alarm",
    "tideline_stage_commits_total": "commits by reply: OK, DUP, FENCED, CONFLICT",
    "tideline_stage_lease_moves_total": "partitions that came to this process or left it",
    "tideline_stage_waits_total": "times a partition waited at a close for another stage",
    "tideline_stage_dead_letters_total": "entries stepped over into the dead letters",
    "tideline_stage_held_partitions": "partitions in which a later stage holds this one back",
    "tideline_reader_behind_entries": "entries that a reader outside has not acknowledged, of the "
    "partitions this process trims",
    "tideline_reader_expelled_partitions": "partitions in which a reader is too far behind to be "
    "waited for",
    "tideline_reader_lost_entries": "entries trimmed before the reader read them",
    "tideline_log_away_seconds": "how long the log has given no answer; 0 while it does",
    "tideline_price_age_seconds": "how old the symbol's newest price is in the market's time",
    "tideline_price_status": "1 for the status that the symbol's data have: fresh, late, stale "
    "or closed",
    "tideline_pushed_total": "prices given on a Redis channel, by what became of them, and "
    "messages that held none",
    "tideline_ibkr": "on the wire to TWS: connections made, messages malformed, symbols subscribed "
    "anew, quotes crossed, symbols refused now",
    "tideline_recorder_entries_total": "entries that this process has written to the archive",
    "tideline_recorder_failures_total": "times the archive could not be written; tried again",
    "tideline_alerts_total": "alerts that ended, delivered or failed for good",
    "tideline_alert_retries_total": "tries that failed and will be made again",
    "tideline_alerts_waiting": "alerts without a receipt, of the partitions this process owns",
    "tideline_provider_calls_total": "calls of price providers by outcome: ok, timeout, "
    "connection, http, limit, key, body, crash; refused where one symbol was",
    "tideline_provider_rows_dropped_total": "rows of providers' answers left out, by reason",
    "tideline_provider_state": "0 the provider answers, 1 it is tried again, 2 it is left alone",
}
assert set(METRICS) == set(get_args(MetricName))
_STAGE = ("stage",)
_STAGE_PARTITION = ("stage", "partition")
LABELS: dict[MetricName, tuple[str, ...]] = {
    "tideline_stage_partitions": _STAGE,
    "tideline_stage_turn_age_seconds": _STAGE,
    "tideline_stage_wait_seconds": _STAGE,
    "tideline_stage_events_total": ("stage", "type"),
    "tideline_stage_behind_entries": _STAGE_PARTITION,
    "tideline_stage_event_lag_seconds": _STAGE_PARTITION,
    "tideline_stage_lost_entries": _STAGE_PARTITION,
    "tideline_stage_commits_total": ("stage", "partition", "reply"),
    "tideline_stage_lease_moves_total": ("stage", "partition", "move"),
    "tideline_stage_waits_total": _STAGE_PARTITION,
    "tideline_stage_dead_letters_total": _STAGE_PARTITION,
    "tideline_stage_held_partitions": _STAGE,
    "tideline_reader_behind_entries": ("reader", "topic"),
    "tideline_reader_expelled_partitions": ("reader", "topic"),
    "tideline_reader_lost_entries": ("reader", "topic"),
    "tideline_log_away_seconds": (),
    "tideline_price_age_seconds": ("symbol",),
    "tideline_price_status": ("symbol", "status"),
    "tideline_pushed_total": ("channel", "result"),
    "tideline_ibkr": ("what",),
    "tideline_recorder_entries_total": ("topic",),
    "tideline_recorder_failures_total": (),
    "tideline_alerts_total": ("channel", "status"),
    "tideline_alert_retries_total": ("channel",),
    "tideline_alerts_waiting": ("channel",),
    "tideline_provider_calls_total": ("provider", "outcome"),
    "tideline_provider_rows_dropped_total": ("provider", "reason"),
    "tideline_provider_state": ("provider",),
}

Row = tuple[tuple[str, ...], float]
"""A metric's labels, in their order, and its value."""

Source = Callable[[], Iterable[tuple[MetricName, Iterable[Row]]]]
"""Gives metrics when Prometheus asks."""


class SourceCollector(Collector):
    """Passes on what sources say, under the names and labels of the tables."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            for name, rows in source():
                metric = family(name)
                for labels, value in rows:
                    metric.add_metric(labels, value)
                yield metric


def family(name: MetricName) -> GaugeMetricFamily | CounterMetricFamily:
    """An empty metric: a counter where the name ends in ``total``, else a gauge."""
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return kind(name, METRICS[name], labels=LABELS[name])


def stage_metrics(
    stages: Iterable[Progress], now: float
) -> Iterator[tuple[MetricName, Iterable[Row]]]:
    """What the loops of a process say of themselves; ``now`` is on their clock."""
    at_work = list(stages)
    yield "tideline_stage_partitions", [((p.stage,), p.owned) for p in at_work]
    ages = [((p.stage,), now - p.turned_at) for p in at_work if p.turned_at is not None]
    yield "tideline_stage_turn_age_seconds", ages
    yield "tideline_stage_wait_seconds", [((p.stage,), p.longest_wait(now)) for p in at_work]
    yield "tideline_stage_events_total", _rows(at_work, lambda p: p.outputs)
    yield "tideline_stage_commits_total", _rows(at_work, lambda p: p.verdicts)
    yield "tideline_stage_lease_moves_total", _rows(at_work, lambda p: p.moves)
    yield "tideline_stage_waits_total", _rows(at_work, lambda p: p.waits)
    yield "tideline_stage_dead_letters_total", _rows(at_work, lambda p: p.dead)
    lags = [(p.stage, str(at), lag) for p in at_work for at, lag in p.lags.items()]
    yield "tideline_stage_behind_entries", [((s, at), lag.behind) for s, at, lag in lags]
    yield "tideline_stage_event_lag_seconds", [((s, at), lag.event_s) for s, at, lag in lags]
    yield "tideline_stage_lost_entries", [((s, at), lag.lost) for s, at, lag in lags]


def registry(*sources: Source) -> CollectorRegistry:
    """A service's own registry."""
    made = CollectorRegistry()
    made.register(SourceCollector(*sources))
    return made


def _rows(stages: list[Progress], counts: Callable[[Progress], Mapping[Any, int]]) -> list[Row]:
    return [
        ((progress.stage, *_labels(key)), count)
        for progress in stages
        for key, count in counts(progress).items()
    ]


def _labels(key: object) -> tuple[str, ...]:
    return tuple(map(str, key)) if isinstance(key, tuple) else (str(key),)
