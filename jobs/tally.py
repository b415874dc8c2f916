"""How far a run is, from the reports that finished units leave in its folder: the same on every runner.

Each report is read once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from curation.folder import WORK, Folder
from curation.ledger import Ledger

READING_SHARE = 0.75
"""Of a run's time, about so much goes by until all units are read; the rest until they are written."""


@dataclass
class Tally:
    """``sizes`` are the stored bytes of each unit; ``earlier`` is what of the work was done before the first look."""

    folder: Folder
    sizes: Sequence[int]
    ledger: Ledger = field(default_factory=Ledger)
    read: set[int] = field(default_factory=set)
    written: set[int] = field(default_factory=set)
    earlier_bytes: int | None = None
    earlier_done: float = 0.0

    def look(self) -> None:
        """Takes in the reports that are new."""
        for kind, units in (("judged", self.read), ("written", self.written)):
            for name in self.folder.names(f"{WORK}/{kind}-*.json"):
                unit = int(name.rpartition("-")[2].removesuffix(".json"))
                if unit not in units:
                    self.ledger.merge(Ledger.from_json(self.folder.read_json(name)["ledger"]))
                    units.add(unit)
        if self.earlier_bytes is None:
            self.earlier_bytes, self.earlier_done = self.bytes, self.done

    @property
    def units(self) -> int:
        return len(self.sizes)

    @property
    def bytes(self) -> int:
        """Stored bytes of the units that are read."""
        return sum(self.sizes[unit] for unit in self.read)

    @property
    def done(self) -> float:
        """The share of the work that is done, 0 to 1."""
        whole = sum(self.sizes)
        read = self.bytes / whole if whole else len(self.read) / max(self.units, 1)
        return READING_SHARE * read + (1 - READING_SHARE) * len(self.written) / max(self.units, 1)

    def rate(self, seconds: float) -> float:
        """Stored bytes that this run has read a second."""
        return (self.bytes - (self.earlier_bytes or 0)) / seconds if seconds > 0 else 0.0

    def seconds_left(self, seconds: float) -> float | None:
        """By what this run did in so many seconds; None before it has done anything."""
        mine = self.done - self.earlier_done
        return seconds * (1 - self.done) / mine if mine > 0 else None

    def rejects(self) -> dict[str, int]:
        """Documents rejected so far by ``stage: reason``, most first."""
        counts: dict[str, int] = {}
        for (_, stage, reason), amount in self.ledger.rejected.items():
            counts[f"{stage}: {reason}"] = counts.get(f"{stage}: {reason}", 0) + amount[0]
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))

    def to_json(self, event: str, seconds: float) -> dict[str, object]:
        left = self.seconds_left(seconds)
        return {
            "event": event,
            "seconds": round(seconds, 1),
            "units": self.units,
            "read": len(self.read),
            "written": len(self.written),
            "documents": self.ledger.total("read")[0],
            "kept": self.ledger.total("kept")[0],
            "quarantined": self.ledger.total("quarantined")[0],
            "bytes": self.bytes,
            "bytes_per_second": round(self.rate(seconds)),
            "seconds_left": None if left is None else round(left, 1),
            "rejects": self.rejects(),
        }
