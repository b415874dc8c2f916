"""The gate's own pages: signing in, the account's projects, and messages. The pages contain no script."""

from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from annotation.gate.owners import Project

_TEMPLATE = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined).from_string(
    files(__package__).joinpath("page.html.j2").read_text(encoding="utf-8")
)


def sign_in_page(token: str, next_path: str, email: str = "", problem: str = "") -> str:
    """The form for signing in, as HTML. ``token`` is its CSRF token, ``next_path`` the path to open afterwards."""
    return _TEMPLATE.render(kind="sign_in", title="Sign in", token=token, next=next_path, email=email, problem=problem)


def home_page(email: str, projects: Sequence[Project], any_open: bool) -> str:
    """The account's projects, those with open tasks first; ``any_open``: whether there are open tasks at all."""
    ordered = sorted(projects, key=lambda each: (each.done >= each.tasks, -each.number))
    return _TEMPLATE.render(
        kind="home", title="Your tasks", email=email, projects=ordered, any_open=any_open, problem=""
    )


def message_page(title: str, message: str) -> str:
    """A page with one message and a link to the account's tasks, as HTML."""
    return _TEMPLATE.render(kind="message", title=title, message=message, problem="")
