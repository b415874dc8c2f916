"""File systems that are not this machine's: their options, and what they raise when they cannot be reached."""

import sys
from collections.abc import Iterable, Mapping
from socket import gaierror
from typing import Any, cast

import fsspec

from schemas.errors import UserError

Options = Mapping[str, Mapping[str, Any]]
"""By protocol (``s3``), what its file system is opened with. It may hold passwords: nothing writes or prints it."""

_RAISED = {
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "aiohttp": ("ClientError",),
    "httpx": ("HTTPError", "InvalidURL"),
    "httpx2": ("HTTPError", "InvalidURL"),
    "requests": ("RequestException",),
    "huggingface_hub.errors": ("HfHubHTTPError", "HFValidationError", "OfflineModeIsEnabled"),
    "google.auth.exceptions": ("GoogleAuthError",),
    "google.api_core.exceptions": ("GoogleAPIError",),
    "gcsfs.retry": ("HttpError",),
    "azure.core.exceptions": ("AzureError",),
    "paramiko.ssh_exception": ("SSHException",),
}
"""What file systems of fsspec let through from the packages that they call, aside from OSError."""
_LENGTH = 300


def outages(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """What the file systems that are loaded raise where a place cannot be reached, or refuses; and ``others``."""
    classes: list[type[Exception]] = [OSError, *others]
    for module, names in _RAISED.items():
        if module in sys.modules:
            classes += [getattr(sys.modules[module], name) for name in names if hasattr(sys.modules[module], name)]
    return tuple(classes)


def reason(error: BaseException) -> str:
    """What an outage says, as part of a sentence."""
    unknown = _unknown_host(error)
    if unknown is not None:
        return f"the host cannot be reached ({unknown})"
    told = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0] or type(error).__name__
    if type(error).__name__ == "NoCredentialsError":
        told += "; set them up, or read public data without any by --storage anon=true"
    return str(told)[:_LENGTH].rstrip(".")


def _unknown_host(error: BaseException | None) -> str | None:
    """What the name system said, where an outage came of that; libraries raise errors of their own in its place."""
    while error is not None:
        if isinstance(error, gaierror):
            return error.strerror or str(error)
        error = error.__cause__ or error.__context__
    return None


def storage_options(given: Iterable[tuple[str, Any]], paths: Iterable[str]) -> Options:
    """Options as file systems take them, from keys: ``key`` is for the file systems of all ``paths`` that are not
    local, ``protocol.key`` for one of them; more dots reach into tables. Raises UserError, which never shows a value.

    >>> storage_options([("anon", True), ("http.client_kwargs.trust_env", True)], ["s3://bucket/*.gz", "notes/*.txt"])
    {'s3': {'anon': True}, 'http': {'client_kwargs': {'trust_env': True}}}
    """
    remote = list(dict.fromkeys(protocol for path in paths if (protocol := _last_protocol(path))))
    options: dict[str, dict[str, Any]] = {}
    for key, value in given:
        names = key.split(".")
        protocols = remote
        if len(names) > 1 and names[0] in fsspec.available_protocols():
            protocols, names = [names[0]], names[1:]
        if not protocols:
            raise UserError(f"storage: '{key}' has no use: every path of this job is on this machine")
        for protocol in protocols:
            _put(options.setdefault(protocol, {}), names, value, key)
    return options


def _put(table: dict[str, Any], names: list[str], value: Any, key: str) -> None:
    for name in names[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise UserError(f"storage: '{key}' cannot be set: '{name}' has a value of its own")
    table[names[-1]] = value


def _last_protocol(path: str) -> str | None:
    """The protocol of the storage at the end of a chain (``zip://a::s3://b`` lies on s3); None for this machine."""
    protocol, found, _ = path.rpartition("::")[2].partition("://")
    return protocol if found and protocol not in ("file", "local") else None


def use_storage(options: Options) -> None:
    """Has all file systems that this process opens from now on use these options."""
    for protocol, table in options.items():
        held = cast(dict[str, Any], fsspec.config.conf).setdefault(protocol, {})
        held.update(table)
