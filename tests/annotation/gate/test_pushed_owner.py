"""What push writes for the gate: whose each project is."""

from pathlib import Path

import httpx
import pytest

from annotation.campaign.plan import plan
from annotation.journal.journal import Journal
from annotation.studio.client import Studio
from annotation.studio.pull import pull
from annotation.studio.push import push
from curation.dedup.near import families
from tests.annotation.campaigns import campaign, prompts, write_rows
from tests.annotation.labelling import choice, signed_in
from tests.annotation.parts import Studio as Server


@pytest.mark.soak
def test_a_push_writes_whose_each_project_is_and_repairs_it(tmp_path: Path, studio: Server, api: httpx.Client) -> None:
    ann, bob = studio.annotator("ann"), studio.annotator("bob")
    folder = campaign(tmp_path, annotators=(ann.email.upper(), bob.email), votes=1)
    write_rows(tmp_path / "b1.jsonl", prompts(range(2)))
    with Journal(folder.store, create=True) as journal, Studio(studio.connection) as client:
        plan(folder, journal, families)
        push(journal, client)
        projects = {int(place.annotator[-1]): project for place, project in journal.cache.projects().items()}
        expected = {projects[1]: ann.email, projects[2]: bob.email}

        def owners() -> dict[int, str]:
            return {each.project: each.owner for each in client.projects() if each.project in expected}

        assert owners() == expected
        [described] = [each.marker for each in client.projects() if each.project == projects[1]]
        with signed_in(studio.connection.url, ann) as annotator:
            annotator.submit(annotator.tasks(projects[1])[0]["id"], [choice("preference", "a_better")])
        for description in (described, f"{described} {bob.email}"):  # as earlier versions wrote it; changed by somebody
            headers = {"X-CSRFToken": api.cookies.get("csrftoken") or ""}
            body = {"description": description}
            api.patch(f"/api/projects/{projects[1]}/", json=body, headers=headers).raise_for_status()
            assert owners() != expected
            assert pull(journal, client).gone == [], "a project without an owner is read all the same"
            assert push(journal, client).projects == 0
            assert owners() == expected
        assert len(journal.live_annotations(projects[1])) == 1
