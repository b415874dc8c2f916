"""The README.md of an export: how to load it, and what it holds."""

import json
from collections.abc import Iterator, Sequence

from annotation.dataset import markdown
from annotation.exports.exported import Exported


def card(exported: Exported, master: str, written: Sequence[str]) -> str:
    """The whole text; the head tells `datasets` which file is which split."""
    form = exported.format
    parts = [
        *_head(master, form.name, form.file, written),
        f"# {master} for {form.trainer}",
        f"Comparisons of the dataset {master}, written by `gristmill dataset export --format {form.name} "
        f"--margin {exported.margin}`.",
        "## Load",
        *_loads(exported, written),
        *([form.note] if form.note else []),
        "## What is in it",
        *exported.carried(),
        "## Splits",
        *(
            f"- `{name}`: {markdown.count(split.rows, 'row')} of {markdown.count(split.comparisons, 'comparison')}"
            + "".join(f"; {len(ids):,} left out: {reason}" for reason, ids in split.left_out.items())
            for name, split in exported.splits.items()
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _loads(exported: Exported, written: Sequence[str]) -> Iterator[str]:
    """Each command, or the settings, that load the export from DIR."""
    margin = exported.margin != "none"
    for load in exported.format.load:
        if load.title:
            yield f"{load.title}:"
        yield f"```\n{load.text('DIR', written, margin)}\n```"


def _head(master: str, form: str, file: str, written: Sequence[str]) -> list[str]:
    if file == "disk" or not written:
        return []
    files = "\n".join(f"  - split: {name}\n    path: {name}.{file}" for name in written)
    title = json.dumps(f"{master} ({form})", ensure_ascii=False)
    return [f"---\npretty_name: {title}\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---"]
