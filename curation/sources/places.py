"""Classifies paths: local, on a file system of fsspec, or on a file system that only Beam knows."""

import os
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import fsspec

VERSIONED = ("ETag", "etag", "md5Hash", "content_md5", "mtime", "LastModified", "last_modified", "updated", "created")
"""Keys with which file systems of fsspec report the version of a file, the most reliable first."""


def is_local(path: str) -> bool:
    """Whether the path is on this machine (it has no scheme, or ``file:``)."""
    if "::" in path and path.partition("::")[0].partition("://")[0] in fsspec.available_protocols():
        return False
    return "://" not in path or path.startswith("file://")


def local_path(path: str) -> str:
    """The path without ``file://``."""
    return path.removeprefix("file://")


def known_scheme(path: str) -> bool:
    """Whether fsspec has a file system for the path's scheme, or for each of a chain such as ``simplecache::s3://``
    (its package may still be missing)."""
    schemes = [link.partition("://")[0] for link in path.split("::") if "://" in link or "::" in path]
    return all(scheme in fsspec.available_protocols() or "/" in scheme for scheme in schemes)


def in_chain(pattern: str, filesystem: Any, name: str) -> str:
    """The full path of a file that a file system found for a pattern; in a chain: ``zip://a.txt::s3://b/c.zip``."""
    links = pattern.split("::")
    if len(links) == 1:
        return cast(str, filesystem.unstrip_protocol(name))
    place = next(n for n, link in enumerate(links) if "://" in link)
    links[place] = name if "://" in name else f"{links[place].partition('://')[0]}://{name}"
    return "::".join(links)


def local_version(status: os.stat_result) -> str:
    """The version of a local file: it differs after the file changed."""
    return str(status.st_mtime_ns)


def remote_version(info: Mapping[str, Any]) -> str:
    """The version of a file of fsspec; empty if its file system does not know."""
    return str(next((info[key] for key in VERSIONED if info.get(key)), ""))


def readable(name: str) -> str:
    r"""A file name as valid text: bytes that are not UTF-8 become escapes.

    >>> readable("bad\udcff.jsonl")
    'bad\\xff.jsonl'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def without_password(url: str) -> str:
    """A url for display, with its password hidden."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@", 1) if password else url
