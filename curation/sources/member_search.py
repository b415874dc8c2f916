"""Finds the next compressed member after a broken place, as long as the search is cheap."""

from curation.sources.members import ERRORS, OUTPUT_BYTES, Container, Decompressor
from curation.sources.stored_window import StoredWindow

TRIAL_BYTES = 64 << 10
"""Stored bytes that are tried, to see whether a member begins with them."""
FREE_TRIALS = 32 << 20
TRIALS = 16
"""In broken places at most FREE_TRIALS bytes plus TRIALS times the bytes read so far are decompressed again."""
ERRORS_AND_MEMORY: tuple[type[Exception], ...] = (*ERRORS, MemoryError)


class MemberSearch:
    """Searches stored bytes for members of a container.

    A member may require ``window`` bytes of memory and the ``dictionary`` of the file (None if it has no dictionary).
    """

    def __init__(self, stored: StoredWindow, container: Container, window: int) -> None:
        self.stored = stored
        self.container = container
        self.window = window
        self.dictionary: bytes | None = None
        self._tried = 0

    def open(self) -> Decompressor:
        """Starts to decompress a member."""
        return self.container.open(self.window, self.dictionary)

    def may_try(self, size: int) -> bool:
        """Whether ``size`` bytes more may be decompressed again; they count as used."""
        self._tried += size
        return self._tried <= FREE_TRIALS + TRIALS * self.stored.file.position

    def skip_to_member(self, whole: bool = False) -> None:
        """Skips at least one byte, up to the next member that can be decompressed, or to the end of the file.

        With ``whole`` the member must be valid up to its end.
        """
        stored = self.stored
        stored.fill(1)
        stored.at = min(stored.at + 1, len(stored.held))
        while stored.fill(TRIAL_BYTES):
            found = self.container.start.search(stored.held, stored.at)
            if found is None:
                stored.at = max(stored.at, len(stored.held) - 15)
                if len(stored.fill(TRIAL_BYTES)) < 16:
                    stored.at = len(stored.held)
                continue
            stored.at = found.start()
            begun = stored.fill(TRIAL_BYTES)[:TRIAL_BYTES]
            if not self.may_try(0):
                stored.at = len(stored.held)
            elif self._decompresses(begun, whole):
                return
            else:
                stored.at += 1

    def _decompresses(self, left: memoryview, whole: bool) -> bool:
        """Whether the bytes are the start of a valid member, or all of a member if it must be ``whole``."""
        size = 0
        try:
            member = self.open()
            while not member.eof and size < OUTPUT_BYTES and (left or not member.hungry):
                output, taken = member.feed(left[:4096])
                left = left[taken:]
                size += len(output)
                self._tried += taken + len(output) // 16 + 16
        except ERRORS_AND_MEMORY:
            self._tried += min(len(left), 4096)
            return False
        return member.eof or not whole
