"""A folder or a file appears whole or not at all, and what a dead process left is removed by the next one."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from schemas.errors import RunError, UserError
from schemas.folders import UNFINISHED, InUseError, new_files, new_folder, workplace

WRITER = """
import os, sys
from pathlib import Path
from schemas.folders import new_files, new_folder
kind, *paths = sys.argv[1:]
with (new_folder(Path(paths[0])) if kind == "folder" else new_files(*map(Path, paths), private=True)) as made:
    first = made / "half" if kind == "folder" else made[0]
    first.write_text("half of it")
    print("writing", flush=True)
    sys.stdin.read()
"""


def started(*words: object) -> subprocess.Popen[str]:
    """A process that is in the middle of writing."""
    run = subprocess.Popen(
        [sys.executable, "-c", WRITER, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "writing\n"
    return run


def killed(*words: object) -> None:
    with started(*words) as run:
        os.kill(run.pid, signal.SIGKILL)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_has_its_name_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with new_folder(out) as folder:
        (folder / "part").mkdir()
        (folder / "part" / "a").write_text("a")
        assert not out.exists()
    assert (out / "part" / "a").read_text() == "a"
    assert names(out.parent) == ["out"]
    assert out.stat().st_mode & 0o777 == 0o777 & ~mask()
    with pytest.raises(UserError, match="is not empty"), new_folder(out):
        pass


def mask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(error)), new_folder(tmp_path / "out") as folder:
        (folder / "half").touch()
        raise error
    with pytest.raises(type(error)), new_files(tmp_path / "a", tmp_path / "b") as made:
        made[0].write_text("half")
        raise error
    assert names(tmp_path) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="No space left"), new_folder(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed("folder", tmp_path / "out")
    assert names(tmp_path) == [f".out{UNFINISHED}"]
    with new_folder(tmp_path / "out") as folder:
        assert names(folder) == []
        (folder / "a").touch()
    assert names(tmp_path) == ["out"]
    killed("folder", tmp_path / "another")
    killed("files", tmp_path / "b.bin", tmp_path / "b.idx")
    with new_files(tmp_path / "file"):
        assert names(tmp_path) == [f".file{UNFINISHED}", "out"]
    assert names(tmp_path) == ["file", "out"]


def test_a_refused_command_removes_what_is_left_too(tmp_path: Path) -> None:
    killed("folder", tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").touch()
    with pytest.raises(UserError, match="holds a finished run"), new_folder(tmp_path / "out"):
        pass
    assert names(tmp_path) == ["out"]


def test_a_process_that_was_killed_between_its_last_two_steps_leaves_nothing(tmp_path: Path) -> None:
    """It had removed the lock, and not yet the folder that held it."""
    (tmp_path / f".out{UNFINISHED}").mkdir()
    with new_folder(tmp_path / "other"):
        pass
    assert names(tmp_path) == ["other"]


def test_what_is_being_written_is_private_and_nobody_else_writes_it(tmp_path: Path) -> None:
    with started("files", tmp_path / "secret") as run:
        hidden = tmp_path / f".secret{UNFINISHED}"
        assert hidden.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in hidden.iterdir()} == {0o600}
        with pytest.raises(InUseError, match="is being written by another process"), new_files(tmp_path / "secret"):
            pass
        with new_folder(tmp_path / "other"):
            assert (hidden / "secret").read_text() == "half of it"
        run.communicate("")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["other", "secret"]


def test_a_number_that_comes_again_is_another_process(tmp_path: Path, own_pids: list[str]) -> None:
    """In a container the same command has the same PID each time."""
    own = [*own_pids, sys.executable, "-c", WRITER, "folder", str(tmp_path / "out")]
    for _ in range(2):
        with subprocess.Popen(own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            assert run.stdout.readline() == "writing\n"
            run.kill()
            run.wait()
    assert names(tmp_path) == [f".out{UNFINISHED}"]
    subprocess.run(own, input="", text=True, check=True)
    assert names(tmp_path) == ["out"]


def test_files_of_which_some_are_in_place_go_with_their_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def broken(source: Path, target: Path) -> None:
        if target.name == "set.idx":
            raise OSError(errno.EIO, "Input/output error")
        link(source, target)

    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(RunError, match="Input/output error"), new_files(tmp_path / "set.bin", tmp_path / "set.idx"):
        pass
    assert names(tmp_path) == []


def test_files_are_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="File exists"), new_files(tmp_path / "a") as [made]:
        made.write_text("mine")
        (tmp_path / "a").write_text("yours")
    assert (tmp_path / "a").read_text() == "yours"
    assert names(tmp_path) == ["a"]


def test_without_hard_links_files_are_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with new_files(tmp_path / "a", tmp_path / "b") as made:
        for each in made:
            each.write_text(each.name)
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["a", "b"]


def test_many_at_once_hold_a_place_one_after_the_other(tmp_path: Path) -> None:
    """One process at a time holds the workplace: no process is lost, and no process sees files of another."""
    held: list[str] = []
    wrong: list[object] = []

    def come_and_go() -> None:
        done = 0
        while done < 20:
            try:
                with workplace(tmp_path / "place") as place:
                    if held or len(names(place)) != 1:
                        wrong.append((held, names(place)))
                    held.append("mine")
                    (place / "mine").touch()
                    held.pop()
                    done += 1
            except InUseError:
                continue

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert names(tmp_path) == []


def test_a_link_that_somebody_set_is_not_followed(tmp_path: Path) -> None:
    """A folder with a lock and data, such as a studio's, behind the name of a workplace."""
    (tmp_path / "mine").mkdir()
    for name in ("lock", "data"):
        (tmp_path / "mine" / name).write_text("mine")
    (tmp_path / f".out{UNFINISHED}").symlink_to(tmp_path / "mine")
    with new_folder(tmp_path / "other"):
        pass
    with pytest.raises(UserError, match="is not a folder of this user: remove it"), new_folder(tmp_path / "out"):
        pass
    assert names(tmp_path / "mine") == ["data", "lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_is_not_written_into(tmp_path: Path) -> None:
    place = tmp_path / f".out{UNFINISHED}"
    place.mkdir()
    os.chown(place, 12345, 12345)
    with pytest.raises(UserError, match="is not a folder of this user"), new_files(tmp_path / "out", private=True):
        pass
    assert names(place) == []


def manifest(folder: Path, form: str) -> None:
    folder.mkdir()
    (folder / "manifest.json").write_text(f'{{"format": "{form}"}}')


def test_a_manifest_of_another_program_forbids_nothing(tmp_path: Path) -> None:
    manifest(tmp_path / "site", "web app")
    with new_folder(tmp_path / "site/out"):
        pass
    assert (tmp_path / "site/out").is_dir()


def occupied(path: Path) -> None:
    (path / "mine").touch()


@pytest.mark.parametrize(
    ("name", "prepare", "said"),
    [
        ("out", lambda path: path.write_text("mine"), "is a file"),
        ("out", lambda path: path.symlink_to("inside"), "is a link"),
        ("out", lambda path: (path.mkdir(), occupied(path)), "is not empty"),
        ("file/out", lambda path: path.parent.write_text("mine"), "cannot be created: File exists"),
        ("n" * 300, lambda path: None, "cannot be created: File name too long"),
        ("..", lambda path: None, "is not empty"),
        ("whole/out", lambda path: manifest(path.parent, "gristmill.packed"), "/whole, which holds a finished output"),
    ],
)
def test_an_output_that_cannot_be_is_one_sentence(
    name: str, prepare: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    (tmp_path / "inside").mkdir()
    prepare(tmp_path / name)
    before = names(tmp_path)
    with ExitStack() as stack, pytest.raises(UserError, match=said):
        stack.enter_context(new_folder(tmp_path / name))
    assert names(tmp_path) == before
