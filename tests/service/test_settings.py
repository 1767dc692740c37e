"""How settings are found: argument, environment, .env, file, default; and what a wrong one says."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from shared.bus.connection import masked
from shared.bus.keys import Keys
from shared.service.settings import ServiceSettings, SettingsError, environment


class Section(BaseModel):
    """A service's own settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    colour: str = "red"
    limit: int = 3
    token: SecretStr | None = None
    file: Path | None = None


class Settings(ServiceSettings):
    """Settings of a service called ingest."""

    ingest: Section = Section()


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to start in, and an environment without settings."""
    for name in environment():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], **variables: str) -> Settings:
    """Settings out of these variables and arguments."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.load(**given)


def complaint(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """What is said about these variables."""
    with pytest.raises(SettingsError) as refusal:
        load(monkeypatch, {}, **variables)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_without_any_setting_there_are_defaults() -> None:
    """A laptop with a Redis needs none."""
    settings = Settings.load()
    assert settings.redis_url.get_secret_value() == "redis://127.0.0.1:6379/0"
    assert settings.database_url is None
    assert settings.keys == Keys("tideline", 16)
    assert (settings.public_port, settings.internal_port) == (8000, 8080)
    assert settings.ingest == Section()
    assert settings.worker


LAYERS = ["argument", "environment", ".env", "file"]


@pytest.mark.parametrize("highest", range(5), ids=[*LAYERS, "default"])
@pytest.mark.parametrize("variable", ["TIDELINE_LOG_FORMAT", "LOG_LEVEL", "TIDELINE_LOG_LEVEL"])
def test_the_nearer_layer_wins(
    monkeypatch: pytest.MonkeyPatch, folder: Path, highest: int, variable: str
) -> None:
    """Argument over environment over .env over file over default, whatever a setting's name is."""
    field = variable.removeprefix("TIDELINE_").lower()
    values = {"log_level": ["debug", "error", "warning", "error", "info"]}.get(
        field, ["console", "json", "console", "json", "console"]
    )
    if highest <= 3:
        (folder / "tideline.toml").write_text(f'{field} = "{values[3]}"\n')
    if highest <= 2:
        (folder / ".env").write_text(f"{variable}={values[2]}\n")
    variables = {variable: values[1]} if highest <= 1 else {}
    given = {field: values[0]} if highest == 0 else {}
    assert getattr(load(monkeypatch, given, **variables), field) == values[highest]


def test_the_environment_wins_over_env_file_under_either_name(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """REDIS_URL and TIDELINE_REDIS_URL are one setting; within a layer the short name wins."""
    (folder / ".env").write_text("REDIS_URL=redis://from-file/0\n")
    settings = load(monkeypatch, {}, TIDELINE_REDIS_URL="redis://from-environment/0")
    assert settings.redis_url.get_secret_value() == "redis://from-environment/0"
    settings = load(monkeypatch, {}, REDIS_URL="redis://short/0")
    assert settings.redis_url.get_secret_value() == "redis://short/0"


def test_a_section_is_put_together_from_every_layer(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """One key of it in the file, another in the environment, the third by default."""
    (folder / "tideline.toml").write_text('[ingest]\ncolour = "green"\nlimit = 5\n')
    settings = load(monkeypatch, {}, TIDELINE_INGEST__LIMIT="7")
    assert settings.ingest == Section(colour="green", limit=7)


def test_the_file_can_lie_elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """TIDELINE_CONFIG names it."""
    (folder / "mine.toml").write_text("partitions = 4\n")
    assert load(monkeypatch, {}, TIDELINE_CONFIG="mine.toml").partitions == 4


def test_one_file_serves_every_service(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The tables and variables of other services are none of this one's business."""
    (folder / "tideline.toml").write_text("[charts]\nnonsense = 1\n[ingest]\nlimit = 4\n")
    assert load(monkeypatch, {}, TIDELINE_NOTIFIER__NONSENSE="1").ingest.limit == 4


@pytest.mark.parametrize("name", ["TIDELINE_INGEST__TOKEN", "REDIS_URL", "TIDELINE_REDIS_URL"])
def test_any_setting_may_lie_in_a_file_of_its_own(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str
) -> None:
    """``<KEY>_FILE`` names it, as secrets are given to containers; the last line break is none."""
    (folder / "secret").write_text("redis://:hush@redis\n")
    settings = load(monkeypatch, {}, **{f"{name}_FILE": str(folder / "secret")})
    found = settings.ingest.token if "TOKEN" in name else settings.redis_url
    assert found is not None
    assert found.get_secret_value() == "redis://:hush@redis"


def test_a_secrets_file_in_the_environment_wins_over_a_value_in_env_file(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """The order of layers holds for secrets too; within a layer the value itself wins."""
    (folder / ".env").write_text("TIDELINE_INGEST__TOKEN=old\n")
    (folder / "secret").write_text("new")
    path = str(folder / "secret")
    settings = load(monkeypatch, {}, TIDELINE_INGEST__TOKEN_FILE=path)
    assert settings.ingest.token == SecretStr("new")
    settings = load(monkeypatch, {}, TIDELINE_INGEST__TOKEN="newest")
    assert settings.ingest.token == SecretStr("newest")


def test_a_setting_called_file_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """TIDELINE_INGEST__FILE is the path itself."""
    settings = load(monkeypatch, {}, TIDELINE_INGEST__FILE="ticks.csv")
    assert settings.ingest.file == Path("ticks.csv")


def test_a_secrets_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable and the path."""
    said = complaint(monkeypatch, TIDELINE_INGEST__TOKEN_FILE="nowhere/token")
    assert said == (
        "TIDELINE_INGEST__TOKEN_FILE: cannot read nowhere/token (No such file or directory)"
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TIDELINE_COLOUR": "red"}, "unknown setting TIDELINE_COLOUR; see docs/settings.md"),
        (
            {"TIDELINE_INGEST__COLOR": "red"},
            "unknown setting TIDELINE_INGEST__COLOR; see docs/settings.md",
        ),
        (
            {"TIDELINE_INGEST__LIMIT": "many"},
            "setting TIDELINE_INGEST__LIMIT: Input should be a valid integer",
        ),
        (
            {"TIDELINE_PARTITIONS": "0"},
            "setting TIDELINE_PARTITIONS: Input should be greater than or equal to 1",
        ),
        (
            {"TIDELINE_INTERNAL_PORT": "99999"},
            "setting TIDELINE_INTERNAL_PORT: Input should be less than or equal to 65535",
        ),
        ({"LOG_LEVEL": "loud"}, "setting LOG_LEVEL: Input should be 'debug', 'info',"),
        ({"TIDELINE_NAMESPACE": "a:b"}, "setting TIDELINE_NAMESPACE: String should match pattern"),
        ({"TIDELINE_CONFIG": "no.toml"}, "cannot read settings file no.toml (No such file"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    """The variable as it was written, and what it should be."""
    assert complaint(monkeypatch, **variables).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colour = "red"\n', "unknown setting TIDELINE_COLOUR; see docs/settings.md"),
        ("[ingest]\ncolor = 1\n", "unknown setting TIDELINE_INGEST__COLOR; see docs/settings.md"),
        ("[ingests]\n", "unknown setting TIDELINE_INGESTS; see docs/settings.md"),
        ('[ingest]\nlimit = "x"\n', "setting TIDELINE_INGEST__LIMIT: Input should be a valid in"),
        ("partitions = \n", "settings file tideline.toml is no TOML: Invalid value (at line 1"),
    ],
)
def test_a_wrong_line_in_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, said: str
) -> None:
    """A misspelt key is an error there too."""
    (folder / "tideline.toml").write_text(text)
    assert complaint(monkeypatch).startswith(said)


def test_a_misspelt_variable_in_env_file_is_named(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """What is not ours in there is left alone."""
    (folder / ".env").write_text("COMPOSE_PROFILES=ibkr\nTIDELINE_PARTITION=4\n")
    assert complaint(monkeypatch).startswith("unknown setting TIDELINE_PARTITION; see")


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in what settings look like printed, nor in an address that a message names."""
    url = "redis://someone:hush@redis.example:6380/0"
    settings = load(monkeypatch, {}, REDIS_URL=url, TIDELINE_INGEST__TOKEN="hush")
    assert "hush" not in repr(settings)
    assert "hush" not in settings.model_dump_json()
    assert masked(url) == "redis://redis.example:6380"


@pytest.mark.parametrize("url", ["", "nonsense", "http://hush@redis.example", "redis://hush:x"])
def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """With the forms that there are, and without what it holds."""
    monkeypatch.setenv("REDIS_URL", url)
    said = complaint(monkeypatch)
    assert said.startswith("setting REDIS_URL: must be redis://[USER:PASSWORD@]HOST[:PORT]")
    assert "hush" not in said


def test_settings_never_change() -> None:
    """Whoever has them has them as they were found."""
    settings = Settings.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.partitions = 3  # type: ignore[misc]
