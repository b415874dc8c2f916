"""``gristmill languages`` lists the languages asked for, and refuses a name without settings."""

import pytest

from tests.jobs.calling import call


@pytest.mark.parametrize("name", ["de", "deu_Latn"])
def test_a_language_is_found_by_its_label_and_by_the_name_of_its_settings(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("languages", name, monkeypatch=monkeypatch) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["settings", "deu_Latn"]


def test_a_name_without_settings_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("languages", "de", "xx", monkeypatch=monkeypatch) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "fineweb2 has no settings for 'xx'" in printed.err
