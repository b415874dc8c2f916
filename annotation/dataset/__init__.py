"""Campaigns in, one versioned dataset of comparisons out; and such a dataset read back."""

from annotation.dataset.build import Built, build
from annotation.dataset.ledger import Ledger
from annotation.dataset.upgrading import upgrade_dataset

__all__ = ["Built", "Ledger", "build", "upgrade_dataset"]
