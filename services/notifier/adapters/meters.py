"""The notifier's figures for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.events.alert import AlertFired
from shared.telemetry.metrics import LABELS, METRICS, MetricName


class Meters:
    """Counts what the sender did; one set of series per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._alerts = _counter("tideline_alerts_total", registry)
        self._retries = _counter("tideline_alert_retries_total", registry)
        waiting: MetricName = "tideline_alerts_waiting"
        self._waiting = Gauge(waiting, METRICS[waiting], LABELS[waiting], registry=registry)

    def ended(self, receipt: AlertFired) -> None:
        """A receipt was written."""
        self._alerts.labels(receipt.channel, receipt.status).inc()

    def retried(self, channel: str) -> None:
        """A try failed and the next was scheduled."""
        self._retries.labels(channel).inc()

    def waits(self, channel: str, more: int) -> None:
        """So many more alerts wait, or fewer where negative."""
        self._waiting.labels(channel).inc(more)


def _counter(name: MetricName, registry: CollectorRegistry) -> Counter:
    return Counter(name, METRICS[name], LABELS[name], registry=registry)
