"""Tables of services in containers: kept in volumes, shared by replicas, or in PostgreSQL."""

import json
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.containers.engine import MARKS, NewProject, Project, docker, eventually
from tests.containers.images import OutOfReach, have

pytestmark = MARKS

POSTGRES = "postgres:16-bookworm"
PASSWORD = "not-a-secret-of-anybody"
# What the image does at its first start, and Debian's packages in its place do not by themselves.
# A dollar is two in a Compose file.
AS_THE_IMAGE_DOES = """
set -e
bin=$$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data/cluster
chown postgres /var/run/postgresql /var/lib/postgresql/data
as_postgres() { runuser -u postgres -- "$$@"; }
if [ ! -e $$data ]; then
  echo "$$POSTGRES_PASSWORD" | as_postgres tee /tmp/password >/dev/null
  as_postgres $$bin/initdb -D $$data -U tideline -A scram-sha-256 --pwfile /tmp/password
  echo 'host all all all scram-sha-256' >> $$data/pg_hba.conf
  echo 'CREATE DATABASE tideline' | as_postgres $$bin/postgres --single -D $$data postgres
fi
exec runuser -u postgres -- $$bin/postgres -D $$data -c 'listen_addresses=*'
"""


def apis(project: Project) -> list[str]:
    """The addresses of every replica of ingest."""
    return [f"http://{docker('port', one, '8000/tcp')}" for one in project.containers("ingest")]


def keep(api: str, name: str) -> None:
    """Make a watchlist."""
    body = json.dumps({"name": name, "symbols": ["EURUSD"]}).encode()
    asked = Request(  # noqa: S310
        f"{api}/api/v1/watchlists", body, {"Content-Type": "application/json"}
    )
    with urlopen(asked, timeout=120) as answer:  # noqa: S310
        assert answer.status == 201


def kept(api: str) -> list[str]:
    """The names of all watchlists; none from who does not answer."""
    try:
        with urlopen(f"{api}/api/v1/watchlists", timeout=120) as answer:  # noqa: S310
            return sorted(one["name"] for one in json.load(answer)["watchlists"])
    except URLError:
        return []


def up(project: Project) -> list[str]:
    """Start two of ingest and what they need, and wait for them; their addresses."""
    project.up("redis", "ingest", ingest=2)
    project.await_healthy()
    return apis(project)


def test_replicas_on_one_machine_share_the_tables_in_the_volume(new_project: NewProject) -> None:
    """What one is told the other knows, after a new start too; a warning says what that takes."""
    project = new_project()
    first, second = up(project)
    keep(first, "told to one")
    assert kept(second) == ["told to one"]
    eventually(
        lambda: "set DATABASE_URL to a PostgreSQL" in project.logs("ingest"),
        "a warning that other machines could not see the tables",
    )
    removed = project.compose("down")
    assert removed.returncode == 0, removed.stderr
    assert [kept(api) for api in up(project)] == [["told to one"], ["told to one"]]


@pytest.fixture
def in_postgres(new_project: NewProject, engine: None) -> Project:
    """A project with the profile ``postgres``."""
    try:
        have(POSTGRES)
    except OutOfReach as error:
        pytest.skip(str(error))
    settings = {
        "COMPOSE_PROFILES": "postgres",
        "POSTGRES_PASSWORD": PASSWORD,
        "DATABASE_URL": f"postgresql://tideline:{PASSWORD}@postgres:5432/tideline",
    }
    acts_by_itself = docker("inspect", "--format", "{{.Config.Entrypoint}}", POSTGRES) != "[]"
    more = {} if acts_by_itself else {"postgres": {"command": ["bash", "-c", AS_THE_IMAGE_DOES]}}
    return new_project(settings=settings, more=more)


def test_replicas_share_the_tables_in_postgres(in_postgres: Project) -> None:
    """``DATABASE_URL`` is all they need, and nobody is warned of anything."""
    in_postgres.up("postgres")
    in_postgres.await_healthy()
    first, second = up(in_postgres)
    keep(first, "told to one")
    assert kept(second) == ["told to one"]
    [ingest, _] = in_postgres.containers("ingest")
    assert "postgresql://postgres:5432/tideline" in docker(
        "exec", ingest, "tideline", "db", "current"
    )
    assert "tables_not_shared" not in in_postgres.logs("ingest")
