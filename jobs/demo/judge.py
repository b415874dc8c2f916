"""A judge for the demo: an endpoint on this machine that prefers the answer with more words, and knows nothing else.

``python -P -m jobs.demo.judge COMMAND...`` runs a command while the endpoint serves; the word URL in the command stands
for its address.
"""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "more-words"
CLOSE = 1.2
"""The judge finds two answers equally good unless one has this many times the words of the other."""


@contextmanager
def endpoint() -> Iterator[str]:
    """Serves OpenAI's chat completions on a free port of this machine within the block; the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(completion(asked["messages"])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing."""


def completion(messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The judge's answer to a request that the template ``pairwise`` made, as a chat completion."""
    shown = messages[-1]["content"]
    [key] = re.findall(r"^<conversation ([0-9a-f]+)>$", shown, re.MULTILINE)[:1]
    first, second = (_words(shown, f"response_{side}", key) for side in "ab")
    verdict = "tie" if max(first, second) < CLOSE * min(first, second) else "A" if first > second else "B"
    said = f"A has {first} words, B has {second}.\nverdict {key}: {verdict}"
    usage = {
        "prompt_tokens": sum(len(each["content"].split()) for each in messages),
        "completion_tokens": len(said.split()),
    }
    message = {"role": "assistant", "content": said}
    return {"model": MODEL, "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage}


def _words(shown: str, tag: str, key: str) -> int:
    return len(shown.partition(f"<{tag} {key}>\n")[2].partition(f"\n</{tag} {key}>")[0].split())


def main(words: Sequence[str]) -> int:
    """Runs a command; returns its exit code."""
    with endpoint() as url:
        return subprocess.run([url if word == "URL" else word for word in words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
