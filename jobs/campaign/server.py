"""Opens the Label Studio that the commands of a campaign use."""

import os
from pathlib import Path

from annotation.server.connection import URL, connection
from annotation.server.home import default_home
from annotation.studio.client import Studio


def open_studio(home: Path | None) -> Studio:
    """The Label Studio of the environment, or else of ``home`` (None: the default). Raises UserError if the environment
    names an address where no Label Studio answers."""
    studio = Studio(connection(home or default_home()))
    if URL in os.environ:
        studio.check_address()
    return studio
