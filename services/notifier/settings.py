"""What operators can set: routes, channels, and how often to try."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from services.notifier.domain.delivery import Schedule
from services.notifier.domain.routes import Route, Routes
from shared.events.signal import Action
from shared.service.settings import ServiceSettings

CONSOLE = "console"
WEBHOOK = "webhook"

ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Pattern = Annotated[str, Field(min_length=1, max_length=100)]
ConsoleFormat = Literal["auto", "plain", "json"]
PerSecond = Annotated[float, Field(gt=0, le=1000)]
SECRET_LENGTH_MIN = 16


def _hard_to_guess(secret: SecretStr) -> SecretStr:
    if len(secret) < SECRET_LENGTH_MIN:
        raise ValueError(
            f"must have at least {SECRET_LENGTH_MIN} characters; make one: openssl rand -hex 32"
        )
    return secret


Secret = Annotated[SecretStr, AfterValidator(_hard_to_guess)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RouteSection(_Section):
    """Which signals go to which channels; names may hold ``*``."""

    channels: Annotated[tuple[ChannelName, ...], Field(min_length=1)]
    configs: Annotated[tuple[Pattern, ...], Field(min_length=1)] = ("*",)
    symbols: Annotated[tuple[Pattern, ...], Field(min_length=1)] = ("*",)
    actions: Annotated[tuple[Action | Literal["*"], ...], Field(min_length=1)] = ("*",)

    def route(self) -> Route:
        """The same for the domain."""
        return Route(self.channels, self.configs, self.symbols, self.actions)


class ConsoleSection(_Section):
    """How the console shows an alert."""

    format: ConsoleFormat = Field(
        "auto", description="auto: coloured on a terminal; json: one object a line"
    )


class WebhookSection(_Section):
    """One address that alerts are posted to."""

    url: SecretStr = Field(description="where to post; masked, for its path may hold a token")
    secret: Secret = Field(description="signs every request")
    allow_http: bool = Field(False, description="permit http:// beyond this machine")
    timeout_s: float = Field(5.0, gt=0, le=60, description="bounds one try as a whole")
    in_flight_max: int = Field(8, ge=1, le=100, description="requests under way at once")
    per_second: PerSecond | None = Field(None, description="most requests a second; unset: any")
    burst: int = Field(1, ge=1, le=1000, description="requests at once within per_second")

    @model_validator(mode="after")
    def _check(self) -> Self:
        address = self.url.get_secret_value()
        parts = urlsplit(address)
        plain = address.isascii() and address.isprintable() and " " not in address
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
            raise ValueError("url must be https://HOST/PATH in plain ASCII")
        if parts.username is not None or parts.fragment or parts.port == 0:
            raise ValueError("url may hold no user, no password, no port 0 and no #fragment")
        if parts.scheme == "http" and not (self.allow_http or self.is_loopback):
            raise ValueError(
                "url must begin with https://; plain http:// needs allow_http=true, "
                "and then anybody on the way can read the alerts"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this machine's own."""
        host = urlsplit(self.url.get_secret_value()).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


class RetrySection(_Section):
    """When an alert that could not be delivered is tried again."""

    first_s: float = Field(1.0, gt=0, le=3600, description="wait after the first try")
    factor: float = Field(2.0, ge=1, le=10, description="each wait is so many times the last")
    longest_s: float = Field(300.0, gt=0, le=86_400, description="no wait grows beyond it")
    attempts_max: int = Field(12, ge=1, le=1000, description="tries before giving up")
    retry_after_max_s: float = Field(
        3600.0, gt=0, le=86_400, description="longest Retry-After that is waited for"
    )

    def schedule(self) -> Schedule:
        """The same for the domain."""
        return Schedule(**self.model_dump())


class NotifierSection(_Section):
    """The service's own settings.

    TIDELINE_NOTIFIER__WEBHOOK__URL=https://example.org/alerts
    TIDELINE_NOTIFIER__WEBHOOK__SECRET_FILE=/run/secrets/webhook
    TIDELINE_NOTIFIER__ROUTES='[{"channels": ["webhook"], "symbols": ["EUR*"]}]'
    """

    simulated: bool = Field(False, description="mark every alert as simulated")
    console: ConsoleSection = ConsoleSection()
    webhook: WebhookSection | None = Field(None, description="the channel named webhook")
    webhooks: dict[ChannelName, WebhookSection] = Field({}, description="more of them, by name")
    routes: tuple[RouteSection, ...] = Field(
        (), description="which signals go where; none: all signals to all channels"
    )
    retry: RetrySection = RetrySection()
    waiting_max: int = Field(
        1000, ge=1, le=100_000, description="alerts that may wait for a channel, per partition"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if taken := self.webhooks.keys() & {CONSOLE, WEBHOOK}:
            raise ValueError(f"webhooks: the name {min(taken)} is taken, choose another")
        known = (CONSOLE, *self.all_webhooks)
        for number, route in enumerate(self.routes):
            for name in route.channels:
                if name not in known:
                    raise ValueError(
                        f"routes[{number}] names the channel {name}, which is not set up; "
                        f"there are: {', '.join(known)}"
                    )
        return self

    @property
    def all_webhooks(self) -> dict[str, WebhookSection]:
        """Every webhook by its channel's name."""
        single = {} if self.webhook is None else {WEBHOOK: self.webhook}
        return {**single, **self.webhooks}

    def routing(self, channels: Sequence[str]) -> Routes:
        """The routes; all signals to all ``channels`` where none are set."""
        if not self.routes:
            return Routes.of([Route(tuple(channels))])
        return Routes.of([route.route() for route in self.routes])


class NotifierSettings(ServiceSettings):
    """The service's settings."""

    notifier: NotifierSection = NotifierSection()
