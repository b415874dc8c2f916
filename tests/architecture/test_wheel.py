"""What a worker installs."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.architecture.tree import PACKAGES, ROOT, files


def test_the_wheel_holds_the_packages_with_their_recipes_and_nothing_else(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        held = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert {path for path in files() if path.parts[0] in PACKAGES} == held
