"""Campaigns in, one versioned dataset of comparisons out."""

from annotation.dataset.build import Built, build
from annotation.dataset.ledger import Ledger

__all__ = ["Built", "Ledger", "build"]
