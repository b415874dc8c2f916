"""Which server the commands talk to."""

from pathlib import Path

import pytest

from annotation.server.connection import Connection, connection
from schemas.errors import UserError
from tests.annotation.parts import Studio


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRISTMILL_STUDIO_URL", "GRISTMILL_STUDIO_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_the_embedded_server_is_the_one(studio: Studio) -> None:
    assert connection(studio.home) == studio.connection


def test_variables_name_another(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_STUDIO_URL", "https://labels.example.org/")
    monkeypatch.setenv("GRISTMILL_STUDIO_TOKEN", "secret-of-theirs\n")
    named = connection(studio.home)
    assert named == Connection("https://labels.example.org", "secret-of-theirs", "https://labels.example.org")
    assert "secret" not in repr(named)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "run `gristmill studio start`, or set GRISTMILL_STUDIO_URL and GRISTMILL_STUDIO_TOKEN"),
        ({"URL": "https://labels.example.org"}, "GRISTMILL_STUDIO_URL is set and GRISTMILL_STUDIO_TOKEN is not"),
        ({"TOKEN": "secret-of-theirs"}, "GRISTMILL_STUDIO_TOKEN is set and GRISTMILL_STUDIO_URL is not"),
        ({"URL": "labels.example.org", "TOKEN": "secret-of-theirs"}, "which is not a valid URL"),
        ({"URL": "https://[labels", "TOKEN": "secret-of-theirs"}, "which is not a valid URL"),
        ({"URL": "https://labels:x", "TOKEN": "secret-of-theirs"}, "which is not a valid URL"),
        ({"URL": "https://labels..org", "TOKEN": "secret-of-theirs"}, "which is not a valid URL"),
        ({"URL": "https://labels\n.org", "TOKEN": "secret-of-theirs"}, "which is not a valid URL"),
        ({"URL": "https://labels.example.org", "TOKEN": "secret-of-theirs too"}, "STUDIO_TOKEN is not a token"),
        ({"URL": "https://labels.example.org", "TOKEN": "a\nsecret-of-theirs"}, "STUDIO_TOKEN is not a token"),
        ({"URL": "https://labels.example.org", "TOKEN": "secret-of-theirs\u00e9"}, "STUDIO_TOKEN is not a token"),
        ({"URL": "https://user:secret-of-theirs@labels", "TOKEN": "abc"}, "GRISTMILL_STUDIO_URL holds an @"),
        ({"URL": "user:secret-of-theirs@labels", "TOKEN": "abc"}, "GRISTMILL_STUDIO_URL holds an @"),
        ({"URL": "https://user:secret-of-theirs@labels:x", "TOKEN": "abc"}, "GRISTMILL_STUDIO_URL holds an @"),
    ],
)
def test_a_mistake_is_a_sentence(
    values: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"GRISTMILL_STUDIO_{name}", value)
    with pytest.raises(UserError, match=said) as caught:
        connection(tmp_path / "nothing")
    assert "secret-of-theirs" not in str(caught.value)
    assert not (tmp_path / "nothing").exists()
