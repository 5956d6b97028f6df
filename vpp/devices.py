"""The sections of a site file that say how the site is run: its broker, its devices, its operators."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from optimizer.asset import Id, Section
from vpp.domain.override import LONGEST_S

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SCHEMES = {"mqtt": 1883, "mqtts": 8883}


class Tls(Section):
    """Files of a connection under TLS, relative to the site file."""

    ca: str
    """Certificates of the authorities that the broker's certificate may come from (PEM)."""
    cert: str | None = None
    """Our own certificate (PEM), for a broker that asks for one."""
    key: str | None = None
    """The key of our own certificate (PEM)."""


class Broker(Section):
    """Where the MQTT broker is."""

    url: str = "mqtt://127.0.0.1:1883"
    """Address, such as `mqtt://127.0.0.1:1883`, or `mqtts://` with `tls`."""
    tls: Tls | None = None
    """Needed for `mqtts://`."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in SCHEMES or not parts.hostname or port == -1:
            words = {"problem": "must be an address of a broker", "remedy": "Such as mqtt://127.0.0.1:1883."}
            raise PydanticCustomError("fault", "{problem}", words)
        return value

    @property
    def host(self) -> str:
        """Name or address of the machine."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Number of the port."""
        parts = urlsplit(self.url)
        return parts.port or SCHEMES[parts.scheme]

    @property
    def is_loopback(self) -> bool:
        """Whether it can be reached from this machine only."""
        return self.host in LOOPBACK


def _is_text(value: Any) -> str:
    return "text" if isinstance(value, str) else "section"


BrokerOrEmbedded = Annotated[
    Annotated[Broker, Tag("section")] | Annotated[Literal["embedded"], Tag("text")], Discriminator(_is_text)
]


class Binding(Section):
    """How one asset's device is spoken to."""

    dialect: Literal["vpp"] = "vpp"
    """Name of the dialect; `vpp` is the one of this product."""


class Devices(Section):
    """How the site's devices are reached and led."""

    broker: BrokerOrEmbedded = Broker()
    """The broker, or `embedded` for one inside the daemon, on loopback."""
    tick_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Time from one decision to the next [s]."""
    lease_s: Annotated[float, Field(ge=3, le=900)] = 60.0
    """How long a set-point holds without being renewed [s]; it is renewed after a third of that."""
    replan_minutes: Annotated[float, Field(ge=1, le=1440)] = 15.0
    """Time from one plan to the next [min]."""
    bindings: dict[Id, Binding] = Field(default_factory=dict)
    """Dialect of each device that does not speak `vpp`, by asset."""


class Operators(Section):
    """Who may override, and how that is proved."""

    mode: Literal["open"] = "open"
    """`open`: every name is accepted, on loopback brokers only."""
    default_duration_s: Annotated[float, Field(gt=0, le=LONGEST_S)] = 900.0
    """How long `vpp override` holds without `--for` [s]."""
