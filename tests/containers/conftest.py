"""Fixtures of the container tests: images built once, projects that leave nothing behind."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.charts.conftest import browser  # noqa: F401 the same browser
from tests.containers.engine import PREFIX, NewProject, Project, remove_orphans, why_not
from tests.containers.images import REDIS, OutOfReach, build_all, have

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that has Redis; tests are skipped without one."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    remove_orphans()
    try:
        have(REDIS)
    except OutOfReach as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def images(engine: None) -> None:
    """Every service's image; tests are skipped where its packages cannot be fetched."""
    try:
        build_all()
    except OutOfReach as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def new_project(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewProject]:
    """Makes Compose projects and removes them when the module's tests are done."""
    made: list[Project] = []

    def make(**given: Any) -> Project:
        name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
        made.append(Project(name, tmp_path_factory.mktemp("project"), **given))
        return made[-1]

    yield make
    for project in made:
        project.down()


@pytest.fixture(scope="module")
def demo(new_project: NewProject) -> Project:
    """The project as everybody starts it: a simulated market, one healthy container a service."""
    project = new_project()
    project.up()
    project.await_healthy()
    return project


@pytest.fixture
def recorded(shared_data: Path) -> Path:
    """The folder of recorded markets."""
    return shared_data / "recorded"
