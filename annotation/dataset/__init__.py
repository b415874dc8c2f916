"""Builds one versioned dataset of comparisons from campaigns, and upgrades older datasets."""

from annotation.dataset.build import Built, build
from annotation.dataset.ledger import DatasetLedger
from annotation.dataset.upgrading import upgrade_dataset

__all__ = ["Built", "DatasetLedger", "build", "upgrade_dataset"]
