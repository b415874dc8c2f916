"""A campaign as it stood at one revision of its journal: all that quality, resolving and datasets read."""

from dataclasses import dataclass

import pyarrow as pa

from annotation.resolve import Policy


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """``pairs``, ``assignments``, ``judgments`` and ``refused`` are tables of `schemas`, of one campaign.

    ``votes`` is how many votes a pair of the campaign is meant to get, ``revision`` the journal's.
    """

    name: str
    protocol: str
    protocol_version: str
    votes: int
    policy: Policy
    pairs: pa.Table
    assignments: pa.Table
    judgments: pa.Table
    refused: pa.Table
    revision: int
