"""A PostgreSQL that runs for a test, and a home without a database."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotation.server.home import Home
from annotation.server.installation import environment
from annotation.server.lifecycle import prepare
from tests.annotation.parts import PREPARED
from tests.annotation.ports import free_port

PASSWORD = "flour/and:bread"
WRITTEN = "flour%2Fand%3Abread"


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database of a PostgreSQL that runs meanwhile."""
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    assert found, "no PostgreSQL is installed: on Debian, apt-get install postgresql"
    programs = Path(found).resolve().parent
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        words = ["--username=mill", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--no-sync"]
        data = folder / "data"
        subprocess.run([programs / "initdb", *words, data], check=True, capture_output=True, user=user, cwd="/")
        options = [f"-p{port}", f"-k{folder}", "-clisten_addresses=127.0.0.1", "-cfsync=off"]
        server = subprocess.Popen([programs / "postgres", "-D", data, *options], user=user, cwd="/")
        try:
            ready = [str(programs / "pg_isready"), f"--port={port}", "--host=127.0.0.1"]
            while subprocess.run(ready, capture_output=True, check=False).returncode:
                assert server.poll() is None
                time.sleep(0.1)
            yield f"postgresql://mill:{WRITTEN}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait()


def new_home(home: Path) -> Home:
    """A home without a database."""
    prepare(PREPARED, print)
    home.mkdir(mode=0o700)
    (home / "lock").touch(mode=0o600)
    environment(Home(home)).symlink_to(environment(Home(PREPARED)))
    return Home(home)
