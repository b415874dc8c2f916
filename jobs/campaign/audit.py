"""The commands ``gristmill campaign audit`` and ``gristmill campaign erase``: their work and their messages."""

from pathlib import Path

import pyarrow.compute as pc

from annotation.dataset import markdown
from annotation.journal.fold import fold
from annotation.journal.journal import STORE, Journal
from annotation.journal.signing import PUBLIC_KEY, read_public_key
from annotation.judgments.audit import check_audit, verify_journal, write_audit
from annotation.judgments.judge import judge
from annotation.judgments.snapshot import load
from jobs.campaign.attention import earlier_version
from jobs.campaign.campaign_file import read_campaign
from jobs.campaign.opened import signed
from jobs.terminal import say
from schemas.errors import UserError
from schemas.folders import new_files


def audit(folder: Path | None, public_key: Path | None, output: Path | None, check: Path | None, names: bool) -> None:
    if check is not None:
        if public_key is None or folder is not None:
            raise UserError("--check needs --public-key, and no campaign's folder")
        verified = check_audit(check, read_public_key(public_key))
        say(f"{check}: {markdown.count(verified.rows, 'row')}, all as they were written; {_signed(verified.signed)}")
        return
    if folder is None:
        raise UserError("name a campaign's folder, or an audit with --check")
    with Journal(folder / STORE) as journal:
        verified = verify_journal(journal, read_public_key(public_key or folder / PUBLIC_KEY))
        if output is not None:
            with new_files(output, private=True) as [unfinished], unfinished.open("wb") as file:
                file.writelines(line + b"\n" for line in write_audit(journal, names=names))
        record = fold(journal)
        emails = record.emails if names else {}
    say(f"{folder}: {markdown.count(verified.rows, 'row')}, all as they were written; {_signed(verified.signed)}")
    if public_key is None:
        say(f"checked with {folder / PUBLIC_KEY}; for stronger proof use your own copy of the key: --public-key FILE")
    if record.undone:
        say(f"batches undone before anybody had begun: {', '.join(record.undone)}")
    if not record.batches:
        return
    snapshot = load(folder)
    states = snapshot.assignments["state"].to_pylist()
    done = markdown.count(states.count("done"), "vote")
    say(f"{markdown.count(len(states), 'task')} asked, {done} counted, {snapshot.refused.num_rows:,} in quarantine")
    for row in snapshot.refused.sort_by("annotation").to_pylist():
        say(f"- {row['annotation']} {_name(row['annotator'], emails)}, {row['reason']}: {row['message']}")
    for finding in snapshot.findings:
        say(f"- {finding.place} {_name(finding.annotator, emails)}, {finding.kind}: {finding.message}")
    if snapshot.before_provenance:
        say(earlier_version(snapshot.before_provenance))


def erase(folder: Path, email: str) -> None:
    campaign = read_campaign(folder).campaign
    if email.lower() in (*campaign.annotators, *campaign.adjudicators):
        raise UserError(f"{folder}/campaign.toml names {email}: remove the address there first")
    with signed(folder / STORE) as journal:
        record = fold(journal)
        name = record.annotators.get(email.lower())
        tasks = judge(journal, record).assignments.filter(pc.field("annotator") == name) if name else None
        waiting = tasks["state"].to_pylist().count("open") if tasks else 0
        if not journal.erase(email):
            raise UserError(f"{email} is not in the journal of {folder}: check the spelling")
    say(f"{folder}: erased {email}; the votes stay, under the pseudonym. Label Studio still has the account: delete it")
    say("Earlier reports, audits and tables with names, and copies of the folder, still hold the address: delete them")
    if waiting:
        say(
            f"{name} still has {markdown.count(waiting, 'open task')}: gristmill campaign reassign {folder} --from "
            f"{name} gives them to others"
        )


def _signed(revision: int) -> str:
    return f"signed up to row {revision}"


def _name(annotator: str | None, emails: dict[str, str]) -> str:
    name = annotator or "unknown"
    return f"{name} {emails.get(name, '')}".rstrip()
