"""What is asked of annotators: each protocol shows a pair of responses and reads back what was answered."""

from collections.abc import Mapping
from types import MappingProxyType

from annotation.protocols.preference import Preference
from annotation.protocols.protocol import AnnotationReading, Category, Page, Protocol, Unreadable, digest
from annotation.protocols.safety import Safety

__all__ = ["PROTOCOLS", "AnnotationReading", "Category", "Page", "Protocol", "Unreadable", "digest"]

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({one.name: one for one in (Preference(), Safety())})
"""By the name that campaign.toml gives."""
