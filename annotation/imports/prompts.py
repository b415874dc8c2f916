"""Reads the prompt of a row, which holds only texts: a field or a template, after the system message."""

from collections.abc import Mapping

from annotation.campaign.responses import NON_TEXT_FIELDS, Messages, find_non_text
from annotation.imports import fields, hh
from annotation.imports.dialogues import messages_of
from annotation.imports.fields import RowError, getter, optional_getter
from annotation.imports.layout import Layout, template_parts
from annotation.imports.outcomes import RejectError

SYSTEM = frozenset(["system", "system_message", "system_prompt"])
"""Names of fields that usually hold the system message."""


class UnusedSystemError(Exception):
    """A row has a system message that the mapping does not use; the text says where."""


class Prompts:
    """Reads the prompts of a layout's rows. ``mapped``: the layout is the user's own."""

    def __init__(self, layout: Layout, mapped: bool):
        self._layout = layout
        self._ignored = frozenset(layout.ignore)
        unread = layout.columns() | self._ignored
        self._beyond = NON_TEXT_FIELDS - unread
        self._unused_systems = SYSTEM - unread if mapped and layout.system is None else frozenset()
        self._templates = [
            [literal if path is None else getter(path) for literal, path in template_parts(template)]
            for template in layout.templates
        ]
        self._system = optional_getter(layout.system)
        self.field = optional_getter(layout.prompt)
        """The getter of the prompt field; it returns None if the layout names no prompt field."""

    def of(self, row: Mapping[str, object]) -> Messages:
        """The complete prompt of a row. Raises RowError for a row without a prompt."""
        layout = self._layout
        if layout.prompt is not None:
            return self.with_system(self.messages(self.field(row), layout.prompt, prompt=True), row)
        for parts in self._templates:
            try:
                values = [part if isinstance(part, str) else part(row) for part in parts]
            except RowError:
                continue
            if all(isinstance(value, str) for value in values):
                return self.with_system((("user", "".join(map(str, values))),), row)
        if self._templates:
            raise RowError("a row lacks what the prompt is made of: no template has all its fields")
        raise RowError(f"{layout.paths()[0]} is no dialogue, and the mapping names no prompt")

    def messages(self, value: object, path: str, prompt: bool = False) -> Messages:
        """The messages of a field. A ``prompt`` in HH's form may end with an empty assistant turn."""
        form = self._layout.dialogue
        try:
            if prompt and form == "hh" and isinstance(value, str):
                return hh.parse_prompt(value)
            return messages_of(value, form, self._ignored)
        except TypeError as error:
            raise RowError(f"{path} {error}") from error

    def with_system(self, dialogue: Messages, row: Mapping[str, object]) -> Messages:
        """The dialogue, after the system message if the row has a field for it."""
        system = self._system(row)
        if system is None:
            return dialogue
        text = fields.text(system, str(self._layout.system))
        if not text.strip():
            return dialogue
        if dialogue and dialogue[0][0] == "system":
            if dialogue[0][1] == text:
                return dialogue
            raise RejectError("unreadable_dialogue", "the dialogue and the row have different system messages")
        return (("system", text), *dialogue)

    def check_text(self, value: object) -> None:
        """Raises RejectError for a row or an answer with content other than text, such as images or tools."""
        if isinstance(value, dict) and not self._beyond.isdisjoint(value):
            name = find_non_text(value, self._beyond)
            if name is not None:
                raise RejectError("more_than_text", f"the row has {name!r}, which a comparison cannot hold")

    def check_system(self, number: int, row: Mapping[str, object]) -> None:
        """Raises UnusedSystemError for a row with a system message that the layout neither uses nor ignores."""
        for name in sorted(self._unused_systems & row.keys()):
            value = row[name]
            if isinstance(value, str) and value.strip():
                raise UnusedSystemError(
                    f'row {number} has a text in {name}, which the mapping does not use: add system = "{name}" to put '
                    f'it before the prompt, or ignore = ["{name}"] to leave it out'
                )
