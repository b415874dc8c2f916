"""What filters and rewrites with lists of the user's have in common: reading the lists, and their digests."""

from typing import ClassVar

from curation.lists.list_files import digests, entries_of, forget
from curation.lists.patterns import check_pattern


class ListStep:
    """A step whose settings ``LISTS`` are lists of the user's. Lists are read when the first document is measured."""

    LISTS: ClassVar[tuple[str, ...]]

    @property
    def use(self) -> str:
        raise NotImplementedError

    def read_lists(self) -> None:
        """Reads all lists again. Raises UserError for a file that cannot be read, or an invalid entry."""
        forget(self.use)
        self.prepare()

    def prepare(self) -> None:
        """Reads and checks the lists, and makes again what is made from them once for all batches."""
        raise NotImplementedError

    def list_digests(self) -> dict[str, str]:
        """The SHA-256 (in hexadecimal) of the entries of each list file, by file name."""
        return digests(tuple(entry for name in self.LISTS for entry in getattr(self, name)), self.use)


class PatternStep(ListStep):
    """A step whose list ``patterns`` has regular expressions of RE2."""

    LISTS = ("patterns",)
    patterns: tuple[str, ...]

    def prepare(self) -> None:
        for pattern in entries_of(self.patterns, self.use):
            check_pattern(pattern, f"{self.use}.patterns")
