"""The notifier's settings: what is found where, and what a wrong one is told."""

from pathlib import Path

import pytest

from services.notifier.domain.routes import Route
from services.notifier.settings import NotifierSettings
from shared.service.settings import SettingsError

SECRET = "0123456789abcdef"
URL = "https://example.org/alerts?token=hush"


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's environment nor its files are seen."""
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> NotifierSettings:
    """Settings out of an environment: WEBHOOK__URL stands for TIDELINE_NOTIFIER__WEBHOOK__URL."""
    for name, value in environment.items():
        monkeypatch.setenv(f"TIDELINE_NOTIFIER__{name}", value)
    return NotifierSettings.load()


def test_without_settings_everything_goes_to_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default needs no key and no address."""
    section = load(monkeypatch).notifier
    assert section.all_webhooks == {}
    assert section.routing(["console"]).routes == (Route(("console",)),)


def test_a_webhook_is_used_without_any_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets up a webhook wants alerts there: no routes means all channels."""
    section = load(monkeypatch, WEBHOOK__URL=URL, WEBHOOK__SECRET=SECRET).notifier
    assert list(section.all_webhooks) == ["webhook"]
    assert section.routing(["console", "webhook"]).routes == (Route(("console", "webhook")),)


def test_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SECRET_FILE names a file that holds the secret; a line break at its end is no part of it."""
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    section = load(monkeypatch, WEBHOOK__URL=URL, WEBHOOK__SECRET_FILE=str(file)).notifier
    assert section.all_webhooks["webhook"].secret.get_secret_value() == SECRET


def test_webhooks_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several webhooks stand beside each other, each with its own limits."""
    section = load(
        monkeypatch,
        WEBHOOKS__DESK__URL=URL,
        WEBHOOKS__DESK__SECRET=SECRET,
        WEBHOOKS__NIGHT__URL="http://127.0.0.1:9000/x",
        WEBHOOKS__NIGHT__SECRET=SECRET,
        WEBHOOKS__NIGHT__PER_SECOND="2.5",
    ).notifier
    assert sorted(section.all_webhooks) == ["desk", "night"]
    assert section.webhooks["night"].per_second == 2.5


def test_routes_are_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Routes are easier to write as tables of tideline.toml."""
    (tmp_path / "tideline.toml").write_text(
        "[notifier.webhook]\n"
        f'url = "{URL}"\nsecret = "{SECRET}"\n'
        "[[notifier.routes]]\n"
        'channels = ["console", "webhook"]\n'
        'symbols = ["EUR*"]\nactions = ["break", "sweep"]\n'
    )
    assert load(monkeypatch).notifier.routing([]).routes == (
        Route(("console", "webhook"), symbols=("EUR*",), actions=("break", "sweep")),
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]"])
def test_plain_http_is_allowed_on_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Nobody listens between two programs of one machine."""
    url = f"http://{host}:8000/alerts"
    assert load(monkeypatch, WEBHOOK__URL=url, WEBHOOK__SECRET=SECRET).notifier.all_webhooks


def test_plain_http_elsewhere_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With allow_http the operator takes it upon himself."""
    given = {"WEBHOOK__URL": "http://hooks.lan/x", "WEBHOOK__SECRET": SECRET}
    assert load(monkeypatch, **given, WEBHOOK__ALLOW_HTTP="true").notifier.all_webhooks


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"WEBHOOK__SECRET": SECRET},
            "setting TIDELINE_NOTIFIER__WEBHOOK__URL: Field required",
        ),
        (
            {"WEBHOOK__URL": URL},
            "setting TIDELINE_NOTIFIER__WEBHOOK__SECRET: Field required",
        ),
        (
            {"WEBHOOK__URL": URL, "WEBHOOK__SECRET": "short"},
            "setting TIDELINE_NOTIFIER__WEBHOOK__SECRET: must have at least 16 characters; "
            "make one: openssl rand -hex 32",
        ),
        (
            {"WEBHOOK__URL": "http://example.org/hush", "WEBHOOK__SECRET": SECRET},
            "setting TIDELINE_NOTIFIER__WEBHOOK: url must begin with https://; plain http:// "
            "needs allow_http=true, and then anybody on the way can read the alerts",
        ),
        (
            {"WEBHOOK__URL": "ftp://example.org/hush", "WEBHOOK__SECRET": SECRET},
            "setting TIDELINE_NOTIFIER__WEBHOOK: url must be https://HOST/PATH in plain ASCII",
        ),
        (
            {"WEBHOOK__URL": "hush", "WEBHOOK__SECRET": SECRET},
            "setting TIDELINE_NOTIFIER__WEBHOOK: url must be https://HOST/PATH in plain ASCII",
        ),
        (
            {"WEBHOOK__URL": "https://me:hush@example.org/", "WEBHOOK__SECRET": SECRET},
            "setting TIDELINE_NOTIFIER__WEBHOOK: url may hold no user, no password, no port 0 "
            "and no #fragment",
        ),
        (
            {"WEBHOOK__URL": URL, "WEBHOOK__SECRET": SECRET, "WEBHOOK__SECRT": "x"},
            "unknown setting TIDELINE_NOTIFIER__WEBHOOK__SECRT; see docs/settings.md for all "
            "settings",
        ),
        (
            {"ROUTES": '[{"channels": ["desk"]}]'},
            "setting TIDELINE_NOTIFIER: routes[0] names the channel desk, which is not set up; "
            "there are: console",
        ),
        (
            {"ROUTES": '[{"channels": hush}]'},
            "setting TIDELINE_NOTIFIER__ROUTES: no JSON (Expecting value, character 15)",
        ),
        (
            {"ROUTES": '[{"channels": []}]'},
            "setting TIDELINE_NOTIFIER__ROUTES__0__CHANNELS: Tuple should have at least 1 item "
            "after validation, not 0",
        ),
        (
            {"WEBHOOKS__CONSOLE__URL": URL, "WEBHOOKS__CONSOLE__SECRET": SECRET},
            "setting TIDELINE_NOTIFIER: webhooks: the name console is taken, choose another",
        ),
        (
            {"CONSOLE__FORMAT": "xml"},
            "setting TIDELINE_NOTIFIER__CONSOLE__FORMAT: Input should be 'auto', 'plain' or 'json'",
        ),
        (
            {"RETRY__ATTEMPTS_MAX": "0"},
            "setting TIDELINE_NOTIFIER__RETRY__ATTEMPTS_MAX: Input should be greater than or "
            "equal to 1",
        ),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], told: str
) -> None:
    """The line names the setting and the mend, and shows no secret."""
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **given)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the secret nor the address, which may hold a token, appears in a printed setting."""
    settings = load(monkeypatch, WEBHOOK__URL=URL, WEBHOOK__SECRET=SECRET)
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hush" not in shown
        assert SECRET not in shown
