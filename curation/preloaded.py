"""Imported by the fork server before it makes workers: they start with the stages imported and the kernels loaded."""

from curation.warm import warm

warm()
