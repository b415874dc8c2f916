"""The questions for annotators: each protocol shows a pair of responses and reads the answer back."""

from collections.abc import Mapping
from types import MappingProxyType

from annotation.protocols.preference import Preference
from annotation.protocols.protocol import AnnotationReading, Category, Page, Protocol, Unreadable, digest
from annotation.protocols.reporting import read_report
from annotation.protocols.safety import Safety

__all__ = ["PROTOCOLS", "AnnotationReading", "Category", "Page", "Protocol", "Unreadable", "digest", "read_report"]

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in (Preference(), Safety())})
"""The protocols by their names in campaign.toml."""
