"""Every metric's name in one place, and the collector that reads the loops' own accounts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.bus.progress import Progress
from shared.bus.topics import StageName

MetricName = Literal[
    "tideline_stage_partitions",
    "tideline_stage_commits_total",
    "tideline_stage_events_total",
    "tideline_stage_waits_total",
    "tideline_stage_wait_seconds",
    "tideline_stage_turn_age_seconds",
    "tideline_stage_behind_entries",
    "tideline_stage_lost_entries",
]
METRICS: dict[MetricName, str] = {
    "tideline_stage_partitions": "partitions that this process owns of the stage",
    "tideline_stage_commits_total": "commits by reply: OK, DUP, FENCED, CONFLICT",
    "tideline_stage_events_total": "events written, by type",
    "tideline_stage_waits_total": "times a partition waited at a close for another stage",
    "tideline_stage_wait_seconds": "how long the longest waiting partition has waited now",
    "tideline_stage_turn_age_seconds": "seconds since the stage's loop last came round",
    "tideline_stage_behind_entries": "entries the stage is behind its input, all partitions",
    "tideline_stage_lost_entries": "entries trimmed before the stage read them",
}
assert set(METRICS) == set(get_args(MetricName))


class StageCollector(Collector):
    """Turns the loops' progress into metrics when Prometheus asks."""

    def __init__(self, stages: Callable[[], Iterable[Progress]], now: Callable[[], float]) -> None:
        self._stages = stages
        self._now = now

    def collect(self) -> Iterator[Metric]:
        now = self._now()
        stages = list(self._stages())
        yield _gauge("tideline_stage_partitions", {p.stage: p.owned for p in stages})
        yield _gauge("tideline_stage_wait_seconds", {p.stage: p.longest_wait(now) for p in stages})
        ages = {p.stage: now - p.turned_at for p in stages if p.turned_at is not None}
        yield _gauge("tideline_stage_turn_age_seconds", ages)
        yield _gauge("tideline_stage_behind_entries", {p.stage: p.behind for p in stages})
        yield _gauge("tideline_stage_lost_entries", {p.stage: p.lost for p in stages})
        commits = _counter("tideline_stage_commits_total", "reply")
        events = _counter("tideline_stage_events_total", "type")
        waits = _counter("tideline_stage_waits_total")
        for progress in stages:
            waits.add_metric([progress.stage], progress.waits)
            for verdict, count in progress.verdicts.items():
                commits.add_metric([progress.stage, verdict], count)
            for kind, count in progress.outputs.items():
                events.add_metric([progress.stage, kind], count)
        yield from (commits, events, waits)


def registry(collector: Collector) -> CollectorRegistry:
    """A service's own registry."""
    made = CollectorRegistry()
    made.register(collector)
    return made


def _gauge(name: MetricName, values: Mapping[StageName, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, METRICS[name], labels=["stage"])
    for stage, value in values.items():
        family.add_metric([stage], value)
    return family


def _counter(name: MetricName, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, METRICS[name], labels=["stage", *labels])
