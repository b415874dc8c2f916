"""Builds the responses that the gate gives itself."""

from collections.abc import Mapping
from typing import Any

from annotation.gate.routes import Answer
from annotation.gate.sessions import Session
from annotation.server.installation import VERSION as VERSION_NUMBER
from annotation.server.ownership import user_number

VERSION = {
    "release": VERSION_NUMBER, "edition": "Community",
    "label-studio-os-package": {
        "version": VERSION_NUMBER, "latest_version_from_pypi": None, "latest_version_upload_time": None,
        "current_version_is_outdated": False,
    },
}  # fmt: skip
VIEW = {
    "title": "Default", "type": "list", "target": "tasks", "hiddenColumns": {"explore": [], "labeling": []},
    "ordering": [], "filters": {"conjunction": "and", "items": []},
}  # fmt: skip


def own_answer(answer: Answer, session: Session, numbers: Mapping[str, int]) -> Any:
    """The gate's own response to a request."""
    name = session.email.partition("@")[0]
    account = {
        "id": session.user, "email": session.email, "username": name, "first_name": "", "last_name": "",
        "initials": name[:2], "avatar": None, "phone": "", "custom_hotkeys": {}, "allow_newsletters": False,
        "active_organization": 1,
    }  # fmt: skip
    match answer:
        case Answer.ACCOUNT:
            return {**account, "permissions": ["projects.view", "tasks.view", "annotations.view", "annotations.create"]}
        case Answer.PEOPLE:
            return [account]
        case Answer.VERSION:
            return VERSION
        case Answer.VIEWS:
            return [{"id": 1, "order": 0, "user": session.user, "project": numbers.get("project"), "data": VIEW}]
        case Answer.NO_TASKS:
            return {"total": 0, "total_annotations": 0, "total_predictions": 0, "tasks": []}
        case Answer.EMPTY_PAGE:
            return {"count": 0, "next": None, "previous": None, "results": []}
    return []


def trim(found: Any, session: Session) -> Any:
    """Removes other users' ids, annotations and drafts from a response."""
    if not isinstance(found, dict):
        return found
    if "created_by" in found:
        found["created_by"] = None
    for column in found.get("columns", []):
        if column.get("id") in ("annotators", "updated_by"):
            column["schema"] = {"items": [session.user]}
    for name, author in (("annotations", "completed_by"), ("drafts", "created_username")):
        if isinstance(found.get(name), list):
            found[name] = [each for each in found[name] if user_number(each.get(author)) == session.user]
    return found
