"""The notifier's figures for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.events.alert import AlertFired


class Meters:
    """Counts what the sender did; one set of series per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._alerts = Counter(
            "tideline_alerts",
            "Alerts that ended, delivered or failed for good.",
            ["channel", "status"],
            registry=registry,
        )
        self._retries = Counter(
            "tideline_alert_retries",
            "Tries that failed and will be made again.",
            ["channel"],
            registry=registry,
        )
        self._waiting = Gauge(
            "tideline_alerts_waiting",
            "Alerts that have no receipt yet, of the partitions this worker owns.",
            ["channel"],
            registry=registry,
        )

    def ended(self, receipt: AlertFired) -> None:
        """A receipt was written."""
        self._alerts.labels(receipt.channel, receipt.status).inc()

    def retried(self, channel: str) -> None:
        """A try failed and the next was scheduled."""
        self._retries.labels(channel).inc()

    def waits(self, channel: str, more: int) -> None:
        """So many more alerts wait, or fewer where negative."""
        self._waiting.labels(channel).inc(more)
