"""Where is a broker, and how does it know us?"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files of a connection under TLS, in PEM."""

    ca: Path | None = None
    """Authorities that the broker's certificate may come from; `None` for those of this machine."""
    cert: Path | None = None
    """Our own certificate, for a broker that asks for one."""
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, as a client needs to know it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    """`None` for a connection without TLS."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def from_url(cls, url: str, tls: TlsFiles | None = None) -> "Address":
        """The address in a URL such as `mqtts://name:password@host:8883`.

        Raises:
            ValueError: Where it is none. The text does not show what may be a password.

        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the broker's address must be such as mqtt://127.0.0.1:1883 or mqtts://host:8883")
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"the port of the broker {parts.hostname} must be a number from 1 to 65535") from None
        if parts.scheme == "mqtt" and tls is not None:
            raise ValueError(f"tls needs mqtts://, and the address of {parts.hostname} says mqtt://")
        return cls(
            host=parts.hostname,
            port=_PORTS[parts.scheme] if port is None else port,
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
            tls=(tls or TlsFiles()) if parts.scheme == "mqtts" else None,
        )
