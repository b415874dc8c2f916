"""Reads campaign.toml into a Campaign, and writes the example folder of ``campaign new``."""

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import orjson

from annotation.campaign.plan import record_changes
from annotation.campaign.settings import Campaign, CampaignFolder
from annotation.evaluation.forms.campaign_rows import campaign_rows
from annotation.protocols import PROTOCOLS
from jobs.campaign.opened import signed
from schemas.errors import UserError
from schemas.folders import UNFINISHED, new_files
from schemas.settings import build
from schemas.toml_file import parse_toml, read_settings

FILE = "campaign.toml"
_IGNORED = """\
# the campaign's own store: who was shown what, raw annotations
campaign.db*
# the answers of a model that judged it
judge.db*
# made from it, perhaps with names
report*.html
preview*.html
audit*.jsonl
"""


def read_campaign(folder: Path) -> CampaignFolder:
    """The campaign in a folder. Raises UserError if campaign.toml is missing or a setting is invalid."""
    path = folder / FILE
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserError(
            f"{folder} has no {FILE}: name a campaign's folder, or make one with gristmill campaign new"
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}): name a campaign's folder") from error
    text = read_settings(path)
    table = parse_toml(text, str(path))
    try:
        return CampaignFolder(folder, build(Campaign, table, "campaign"), text)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def read_and_record(folder: Path) -> CampaignFolder:
    """The campaign in a folder that was pushed before; records changed settings in its journal."""
    campaign = read_campaign(folder)
    with signed(campaign.store) as journal:
        record_changes(campaign, journal)
    return campaign


def write_example(folder: Path, protocol: str, responses: Sequence[Path] = ()) -> list[str]:
    """Writes an example campaign that runs without edits; returns the names of its files. With ``responses``, files in
    any form that `campaign_rows` reads, the campaign asks about these. Raises UserError unless the folder is new or
    empty, and RunError on a full disk; then the folder stays empty."""
    try:
        occupied = os.path.lexists(folder) and any(not path.name.endswith(UNFINISHED) for path in folder.iterdir())
    except NotADirectoryError:
        occupied = True
    except OSError as error:
        raise UserError(f"{folder} cannot be opened: {error.strerror}") from error
    if occupied:
        raise UserError(f"{folder} exists and is not an empty folder: choose another name")
    example = files("jobs.example")
    name = folder.resolve().name
    settings = example.joinpath(f"{protocol}.toml").read_text(encoding="utf-8")
    settings = settings.replace("{protocol}", protocol).replace("{name}", _fit(name, protocol))
    contents = {FILE: settings, "guidelines.md": PROTOCOLS[protocol].guidelines}
    if responses:
        contents[FILE] = _without_gold(settings)
        given = campaign_rows(responses, measures=not PROTOCOLS[protocol].trains)
        lines = (orjson.dumps(row).decode() + "\n" for row in given)
        contents["responses.jsonl"] = "".join(lines)
    for part in () if responses else ("responses", "gold"):
        rows = example.joinpath(f"{protocol}_{part}.jsonl")
        if rows.is_file():
            contents[f"{part}.jsonl"] = rows.read_text(encoding="utf-8")
    contents[".gitignore"] = _IGNORED
    last_first = list(contents)[::-1]  # campaign.toml appears last: then the folder is a campaign
    with new_files(*(folder / file for file in last_first)) as unfinished:
        for path, file in zip(unfinished, last_first, strict=True):
            path.write_text(contents[file], encoding="utf-8")
    return list(contents)


def _without_gold(settings: str) -> str:
    """The settings with the table ``gold`` as comments: the example's gold pairs do not belong to other responses."""
    begin = settings.find("[gold]")
    end = settings.find("\n\n", begin)
    if begin < 0:
        return settings
    return settings[:begin] + "# " + settings[begin:end].replace("\n", "\n# ") + settings[end:]


def _fit(name: str, protocol: str) -> str:
    """A valid campaign name made from a folder's name, or ``protocol`` if nothing remains."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    return kept.lstrip("._-")[:40] or protocol
