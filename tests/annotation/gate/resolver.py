"""Every route of Label Studio's own URL resolver, documented or not, and how to fill it with numbers."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from annotation.server.home import Home
from annotation.server.installation import environment
from annotation.server.variables import variables

SCRIPT = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings.label_studio"
import label_studio
sys.path.insert(0, os.path.dirname(label_studio.__file__))
import django
django.setup()
from django.urls import get_resolver
from django.urls.resolvers import URLResolver

def walk(resolver, prefix=""):
    for each in resolver.url_patterns:
        pattern = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from walk(each, pattern)
        else:
            yield pattern

print(json.dumps(list(walk(get_resolver()))))
"""


def resolver_patterns(home: Home) -> list[str]:
    """The patterns, as Django writes them: some with converters, some as regular expressions."""
    words = [str(environment(home) / "bin" / "python"), "-c", SCRIPT]
    seen = {**variables(home, None), "LABEL_STUDIO_ENABLE_LOCAL_FILES_STORAGE": "true"}  # whose routes we close besides
    run = subprocess.run(words, env=seen, check=True, capture_output=True, text=True)
    patterns: list[str] = json.loads(run.stdout.strip().splitlines()[-1])
    return patterns


@dataclass(frozen=True)
class Numbers:
    """What belongs to one account."""

    project: int
    task: int
    annotation: int
    draft: int
    user: int

    def of(self, kind: str) -> int:
        named = {"projects": self.project, "tasks": self.task, "annotations": self.annotation, "drafts": self.draft}
        return {**named, "users": self.user, "memberships": self.user}.get(kind, 1)


WORDS: Mapping[str, str] = {
    "format": "json",
    "action_id": "delete_tasks",
    "sub_path": "general",
    "filename": "1/secret.json",
    "app_label": "users",
    "token": "abc",
    "key": "abc",
    "job_id": "abc",
    "name": "abc",
    "fileuri": "czM6Ly9hL2I=",
}
FILES = {"static": "css/main.css", "react-app": "main.js", "data": "1/x.png", "dm": "js/main.js"}


def fill(pattern: str, numbers: Numbers) -> str:
    """A path that Label Studio's resolver takes, with the numbers of one account.

    >>> fill("^api/tasks/<int:pk>/annotations/<int:annotation_id>/drafts", Numbers(1, 2, 3, 4, 5))
    '/api/tasks/2/annotations/3/drafts'
    """
    plain = pattern.replace("^", "").replace("$", "").replace("/?", "/").replace("\\.", ".")
    simple = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)\??", r"<x:\1>", plain)

    def group(found: re.Match[str]) -> str:
        name, before = found["name"], simple[: found.start()].strip("/").split("/")
        if name in WORDS:
            return WORDS[name]
        if name == "path":
            return FILES.get(before[0], "x.js")
        return str(numbers.of(before[-1]))

    return "/" + re.sub(r"<(?:\w+:)?(?P<name>\w+)>", group, simple).lstrip("/")
