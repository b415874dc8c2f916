"""Measures how far votes can be trusted."""

from annotation.quality.assessment import Assessment, assess
from annotation.quality.concerns import Concern, Rules
from annotation.quality.groups import Agreement, Agreements, agreements

__all__ = ["Agreement", "Agreements", "Assessment", "Concern", "Rules", "agreements", "assess"]
