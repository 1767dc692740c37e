"""Fixtures of the service tests."""

from pathlib import Path

import pytest

from tideline.embedded import EmbeddedServer


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedServer:
    """A server of this test's own, not started."""
    folder = tmp_path_factory.mktemp("s")
    return EmbeddedServer(data=folder / "data", socket=Path(folder) / "s")
