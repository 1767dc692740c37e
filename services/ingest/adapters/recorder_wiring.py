"""The recorder as a part of the service."""

from collections.abc import Callable, Collection
from pathlib import Path

from shared.service.frame import Service
from shared.telemetry.metrics import SourceCollector


def record(
    service: Service, archive: Path, owned: Callable[[], Collection[int]], every_s: float
) -> None:
    """Let a service record the partitions that it owns, beside all else that it does."""
    # Not before it is wanted: tables take time to load, and memory.
    from services.ingest.adapters.recorder import Recorder
    from services.ingest.adapters.recorder_redis import RecorderRedis
    from shared.archive.files import Shelf
    from shared.archive.live import RedisLive

    recorder = Recorder(
        Shelf(archive, service.keys.namespace),
        RedisLive(service.redis, service.keys),
        RecorderRedis(service.redis, service.keys),
        owned,
        every_s,
    )
    service.metrics.register(SourceCollector(recorder.metrics))
    service.add_background("recorder", recorder.run)
