"""A team labels at once, and no vote is lost or counted twice."""

import random
from pathlib import Path

import pytest

from annotation.server.backup import restore
from annotation.server.lifecycle import start, stop
from tests.annotation.parts import empty_home
from tests.annotation.ports import free_port
from tests.annotation.team import in_journal, share_out, work

PEOPLE, PAIRS_EACH = 12, 5


@pytest.mark.soak
def test_every_accepted_vote_is_in_the_journal_once(tmp_path: Path) -> None:
    home = empty_home(tmp_path / "studio")
    try:
        connection = start(home, free_port(), None, print)
        folder = share_out(tmp_path / "mill", connection, PEOPLE, PAIRS_EACH)
        draw = random.Random(16)
        tally = work(home, connection, folder, lambda: draw.uniform(0, 0.2))
    finally:
        stop(home)
    assert tally.failures == []
    assert len(tally.accepted) == len(set(tally.accepted)) == PEOPLE * PAIRS_EACH
    assert sorted(in_journal(folder)) == sorted(tally.accepted)
    restore(tmp_path / "again", folder.path / "backup.tar.gz", False, print)
