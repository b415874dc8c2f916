"""The questions for annotators: each protocol shows a pair of responses and reads the answer back."""

from collections.abc import Mapping
from types import MappingProxyType

from annotation.protocols.evaluation import Evaluation
from annotation.protocols.preference import Preference
from annotation.protocols.protocol import AnnotationReading, Category, Page, Protocol, Unreadable, digest
from annotation.protocols.reporting import read_report
from annotation.protocols.safety import Safety
from annotation.protocols.safety_rating import SafetyRating

__all__ = ["PROTOCOLS", "AnnotationReading", "Category", "Page", "Protocol", "Unreadable", "digest", "read_report"]

_ALL: tuple[Protocol, ...] = (Preference(), Safety(), Evaluation(), SafetyRating())

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in _ALL})
"""The protocols by their names in campaign.toml."""
