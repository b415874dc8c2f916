"""The files of Label Studio's frontend, served by the gate from where Label Studio is installed.

Label Studio's workers then answer for tasks alone, and browsers get the scripts compressed, at a quarter of their size.
"""

import asyncio
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

FOLDERS = {"react-app": "web/dist/apps/labelstudio", "static": "label_studio/core/static_build"}
"""Where Label Studio 1.23.2 keeps what it serves under these paths, from its ``site-packages``."""
COMPRESSED = {".js", ".css", ".svg", ".ttf", ".ico"}
MOST_BYTES = 64 << 20
"""Of all files in memory, some of them compressed; the labelling page needs 3 MB."""


@dataclass(frozen=True)
class Asset:
    """A file of Label Studio's frontend; ``content`` is in gzip's format if ``compressed``."""

    content: bytes
    compressed: bool
    media_type: str
    etag: str


class Assets:
    """Files by the path under which the page asks for them, each read once."""

    def __init__(self, environment: Path):
        self._packages = next(iter(sorted(environment.glob("lib/python3*/site-packages"))), environment)
        self._read: dict[str, Asset] = {}
        self._bytes = 0

    async def find(self, path: str) -> Asset | None:
        """The file of a path of the allow-list; None if there is no such file."""
        if path not in self._read:
            asset = await asyncio.to_thread(self._load, path)
            if asset is None or self._bytes + len(asset.content) > MOST_BYTES:
                return asset
            self._read[path] = asset
            self._bytes += len(asset.content)
        return self._read[path]

    def _load(self, path: str) -> Asset | None:
        first, _, rest = path.strip("/").partition("/")
        folder = (self._packages / FOLDERS[first]).resolve()
        file = (folder / rest).resolve()
        if not file.is_relative_to(folder) or not file.is_file():
            return None
        content = file.read_bytes()
        etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        compressed = file.suffix in COMPRESSED
        return Asset(gzip.compress(content, 6, mtime=0) if compressed else content, compressed, media_type, etag)
