"""The commands ``gristmill studio ...`` as their user meets them."""

import socket
from pathlib import Path

import pytest

from annotation.server.home import Home
from annotation.server.process import end
from tests.annotation.parts import empty_home
from tests.annotation.ports import free_port
from tests.jobs.calling import call


def test_a_studio_from_its_start_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, port = empty_home(tmp_path / "studio"), free_port()
    monkeypatch.setenv("GRISTMILL_STUDIO_HOME", str(home))
    url, secrets = f"http://127.0.0.1:{port}", []
    capsys.readouterr()

    def studio(*words: str | Path, code: int = 0) -> str:
        assert call("studio", *words, monkeypatch=monkeypatch) == code
        printed = capsys.readouterr()
        assert not [secret for secret in secrets if secret in printed.out + printed.err]
        return printed.out + printed.err

    assert studio("status", code=1) == f"no Label Studio runs in {home}\n"
    who = f"administrator: admin@gristmill.local, password in {home / 'admin.json'}\n"
    try:
        said = studio("start", "--port", str(port))
        server, admin = Home(home).server, Home(home).admin
        where = f"annotators: {url}\nLabel Studio: {server.inner_url}, for administrators on this machine\n{who}"
        assert said == f"{where}starting Label Studio ...\nstarting the gate ...\n"
        assert admin is not None
        assert admin.token
        secrets += [admin.password, admin.token]
        assert f"runs already at {url}" in studio("start")
        assert "run `gristmill studio stop` first" in studio("start", "--port", str(free_port()), code=2)
        assert studio("status") == where
        assert "/user/login/" in studio("logs")
        assert "Uvicorn running" in studio("logs", "--gate")
        assert server.gate is not None
        end(server.gate, 10)
        assert f"the gate of {home} does not run, and Label Studio does" in studio("status", code=1)
        assert studio("start") == f"{where}starting the gate ...\n"
        assert "contains secrets" in studio("backup", tmp_path / "b.tar.gz")
        assert "exists: give the backup another name" in studio("backup", tmp_path / "b.tar.gz", code=2)
    finally:
        assert studio("stop") == "stopped\n"
    assert studio("stop") == "Label Studio was not running\n"
    assert "give --replace" in studio("restore", tmp_path / "b.tar.gz", code=2)
    assert f"restored into {home}" in studio("restore", "--replace", tmp_path / "b.tar.gz")


def test_a_taken_port_ends_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = empty_home(tmp_path / "studio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert call("studio", "start", "--home", home, "--port", port, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert said == f"gristmill: port {port} is taken by another program: stop it, or give another port with --port\n"
