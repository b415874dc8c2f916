"""``python -P -m annotation.gate --home HOME``: serves the gate of a studio that runs."""

import argparse
import sys
from pathlib import Path

from annotation.gate.serve import serve
from schemas.errors import UserError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -P -m annotation.gate", description="The gate of a studio that runs.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--inner-url", required=True, help="where Label Studio listens")
    parser.add_argument("--port", type=int, required=True, help="of the loopback address")
    parser.add_argument("--public-url", help="the address of the TLS proxy")
    asked = parser.parse_args()
    try:
        serve(asked.home, asked.inner_url, asked.port, asked.public_url)
    except UserError as error:
        print(f"gate: {error}", file=sys.stderr)
        sys.exit(2)


main()
