"""The command ``gristmill look``."""

from contextlib import closing

from curation.release.lookup import Lookup
from curation.sources.places import is_local
from jobs.corpus.look_pages import Pages
from jobs.corpus.look_server import LookServer
from jobs.corpus.look_tables import CorpusTables
from jobs.terminal import say
from schemas.errors import UserError


def run(corpus: str, port: int) -> None:
    """Serves pages about a finished folder until the command is interrupted.

    Raises UserError for a folder that is not finished or not on this machine, and for a port that is in use.
    """
    if not is_local(corpus):
        raise UserError(f"{corpus} is not on this machine: copy the corpus to a folder, and name that folder")
    lookup = Lookup(corpus)
    with closing(CorpusTables.of(lookup)) as tables:
        try:
            server = LookServer(Pages(lookup, tables), port)
        except OSError as error:
            raise UserError(f"port {port} cannot be used ({error.strerror}): choose another --port") from error
        with server:
            say(f"{corpus}: open {server.address} in a browser; Ctrl+C ends it")
            server.serve_forever()
