"""The progress of a run, from the reports that finished units write to its folder, in the same way on every runner.

Each report is read once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from curation.engine.run import JUDGED, SITES_REMOVED, WRITTEN, report_names
from curation.engine.unit_reports import UnitReport
from curation.release.folder import Folder
from curation.release.ledger import Ledger

READING_SHARE = 0.75
"""The share of a run's time, about, until all units are read; the rest is for writing them."""


@dataclass
class Tally:
    """The progress of the run that writes ``folder``. ``sizes`` are the stored bytes of each unit, None if it is not
    known how many of them are read (under a limit); ``earlier_bytes`` and ``earlier_done`` are the work that was done
    before the first update."""

    folder: Folder
    sizes: Sequence[int | None]
    ledger: Ledger = field(default_factory=Ledger)
    read: set[int] = field(default_factory=set)
    sites_removed: set[int] = field(default_factory=set)
    written: set[int] = field(default_factory=set)
    earlier_bytes: int | None = None
    earlier_done: float | None = None
    read_in: float | None = None
    """The seconds after which all units were read."""

    def update(self, seconds: float) -> None:
        """Reads the new reports, ``seconds`` after the run began."""
        for kind, units in ((JUDGED, self.read), (SITES_REMOVED, self.sites_removed), (WRITTEN, self.written)):
            for unit, name in report_names(self.folder, kind).items():
                if unit not in units:
                    self.ledger.merge(Ledger.of(self.folder.read_json(name, UnitReport).ledger))
                    units.add(unit)
        if self.earlier_done is None:
            self.earlier_bytes, self.earlier_done = self.bytes, self.done
        if self.read_in is None and len(self.read) == self.units:
            self.read_in = seconds

    @property
    def units(self) -> int:
        return len(self.sizes)

    @property
    def bytes(self) -> int | None:
        """Stored bytes of the units that are read."""
        known = [size for unit in self.read if (size := self.sizes[unit]) is not None]
        return sum(known) if None not in self.sizes else None

    @property
    def done_reading(self) -> float:
        """The share of the input that is read, 0 to 1."""
        whole = sum(size or 0 for size in self.sizes)
        return (self.bytes or 0) / whole if whole else len(self.read) / max(self.units, 1)

    @property
    def done(self) -> float:
        """The share of the work that is done, 0 to 1."""
        return READING_SHARE * self.done_reading + (1 - READING_SHARE) * len(self.written) / max(self.units, 1)

    def rate(self, seconds: float) -> float | None:
        """Stored bytes that this run read per second while it was reading."""
        if self.bytes is None or self.earlier_bytes is None:
            return None
        took = seconds if self.read_in is None else self.read_in
        return (self.bytes - self.earlier_bytes) / took if took > 0 else 0.0

    def seconds_left(self, seconds: float) -> float | None:
        """The estimated seconds until the end, from the work done in ``seconds``; None before any work is done."""
        added = self.done - (self.earlier_done or 0.0)
        return seconds * (1 - self.done) / added if added > 0 else None

    def rejects(self) -> dict[str, int]:
        """Documents rejected so far by ``stage: reason``, the most frequent first."""
        counts: dict[str, int] = {}
        for (_, stage, reason), amount in self.ledger.rejected.items():
            counts[f"{stage}: {reason}"] = counts.get(f"{stage}: {reason}", 0) + amount[0]
        return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))

    def to_json(self, event: str, seconds: float) -> dict[str, object]:
        left, rate = self.seconds_left(seconds), self.rate(seconds)
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
            "bytes_per_second": None if rate is None else round(rate),
            "seconds_left": None if left is None else round(left, 1),
            "rejects": self.rejects(),
        }
