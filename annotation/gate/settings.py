"""Where the gate listens, and which addresses are its own."""

from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Address:
    """The port of the loopback address, and the address that annotators elsewhere use."""

    port: int
    public_url: str | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers reach the gate by https only."""
        return bool(self.public_url and self.public_url.startswith("https:"))

    @property
    def origins(self) -> frozenset[str]:
        """The origins that browsers send from pages of the gate."""
        own = {f"http://{name}:{self.port}" for name in LOOPBACK}
        return frozenset(own | {self.public_url} if self.public_url else own)

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that the gate answers to."""
        public = urlsplit(self.public_url).hostname if self.public_url else None
        return frozenset({*LOOPBACK, public} if public else LOOPBACK)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return "__Host-gristmill" if self.secure else "gristmill"
