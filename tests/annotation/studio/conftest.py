"""Annotators of a real Label Studio, signed in."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.annotation.labelling import Annotator, signed_in
from tests.annotation.parts import Studio


@pytest.fixture(scope="module")
def people(studio: Studio) -> Iterator[list[Annotator]]:
    """Ann, bob and cy, signed in once for a module: that takes a second each."""
    with ExitStack() as stack:
        accounts = [studio.annotator(name) for name in ("ann", "bob", "cy")]
        yield [stack.enter_context(signed_in(studio.connection.url, account)) for account in accounts]
