"""Campaigns in, one versioned dataset of comparisons out; and such a dataset read back."""

from annotation.dataset.build import Built, build
from annotation.dataset.ledger import DatasetLedger
from annotation.dataset.upgrading import upgrade_dataset

__all__ = ["Built", "DatasetLedger", "build", "upgrade_dataset"]
