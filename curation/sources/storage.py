"""Remote file systems: their options, and the exceptions they raise when they cannot be reached."""

import sys
from collections.abc import Iterable, Mapping
from socket import gaierror
from typing import Any, cast

import fsspec

from schemas.errors import UserError

Options = Mapping[str, Mapping[str, Any]]
"""Options for opening file systems, by protocol (``s3``). They may contain passwords: never write or print them."""

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
"""Exceptions other than OSError that file systems of fsspec pass on from the packages that they use."""
_LENGTH = 300


def outages(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """The exceptions of loaded file systems for a place that cannot be reached or refuses access; and ``others``."""
    classes: list[type[Exception]] = [OSError, *others]
    for module, names in _RAISED.items():
        if module in sys.modules:
            classes += [getattr(sys.modules[module], name) for name in names if hasattr(sys.modules[module], name)]
    return tuple(classes)


def reason(error: BaseException) -> str:
    """The reason of an outage, as part of a sentence."""
    unknown = _unknown_host(error)
    if unknown is not None:
        return f"the host cannot be reached ({unknown})"
    message = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0] or type(error).__name__
    if type(error).__name__ == "NoCredentialsError":
        message += "; set up credentials, or use --storage anon=true to read public data"
    return str(message)[:_LENGTH].rstrip(".")


def _unknown_host(error: BaseException | None) -> str | None:
    """The message of the name system if it caused the outage (libraries wrap its error); else None."""
    while error is not None:
        if isinstance(error, gaierror):
            return error.strerror or str(error)
        error = error.__cause__ or error.__context__
    return None


def storage_options(given: Iterable[tuple[str, Any]], paths: Iterable[str]) -> Options:
    """Options of file systems from keys: ``key`` applies to the file systems of all ``paths`` that are not local,
    ``protocol.key`` to one of them; more dots name nested tables. Raises UserError, which never shows a value.

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
            raise UserError(f"storage: '{key}' is unused: every path of this job is on this machine")
        for protocol in protocols:
            _put(options.setdefault(protocol, {}), names, value, key)
    return options


def _put(table: dict[str, Any], names: list[str], value: Any, key: str) -> None:
    for name in names[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise UserError(f"storage: '{key}' cannot be set: '{name}' already has a value")
    table[names[-1]] = value


def _last_protocol(path: str) -> str | None:
    """The protocol of the storage at the end of a chain (``zip://a::s3://b`` is on s3); None for this machine."""
    protocol, found, _ = path.rpartition("::")[2].partition("://")
    return protocol if found and protocol not in ("file", "local") else None


def use_storage(options: Options) -> None:
    """Sets the options of all file systems that this process will open."""
    for protocol, table in options.items():
        held = cast(dict[str, Any], fsspec.config.conf).setdefault(protocol, {})
        held.update(table)
