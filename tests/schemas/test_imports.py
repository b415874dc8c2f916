"""What reads tables needs no PyTorch, and what needs it says so."""

import subprocess
import sys


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout


def test_schemas_and_the_readers_import_no_torch() -> None:
    names = "schemas, schemas.sequences, schemas.permutation, schemas.division, schemas.reading"
    assert run(f"import sys, {names}; print('torch' in sys.modules)") == "False\n"


def test_without_torch_the_message_says_what_to_install() -> None:
    script = (
        "import sys\nsys.modules['torch'] = None\n"
        "try:\n    import schemas.torch_reader\nexcept ImportError as missing:\n    print(missing)"
    )
    assert run(script) == "schemas.torch_reader needs PyTorch: install gristmill[torch]\n"
