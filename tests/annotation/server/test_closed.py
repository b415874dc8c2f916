"""What the server does on its own: it calls nobody but the one address kept for its webhooks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import SimpleQueue

import httpx
import pytest

from annotation.server.variables import CALLBACK_HOST
from tests.annotation.parts import Studio
from tests.annotation.ports import free_port


@pytest.fixture
def project(api: httpx.Client) -> int:
    config = '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>'
    made = api.post("/api/projects/", json={"title": "closed", "label_config": config}).raise_for_status()
    return int(made.json()["id"])


def test_a_webhook_reaches_the_address_kept_for_it(api: httpx.Client, project: int) -> None:
    called: SimpleQueue[dict[str, object]] = SimpleQueue()

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None: ...

    with HTTPServer((CALLBACK_HOST, 0), Sink) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        url = f"http://{CALLBACK_HOST}:{server.server_port}/"
        hook = {"url": url, "project": project, "send_for_all_actions": False, "actions": ["TASKS_CREATED"]}
        api.post("/api/webhooks/", json=hook).raise_for_status()
        api.post(f"/api/projects/{project}/import", json=[{"t": "grain"}]).raise_for_status()
        assert called.get(timeout=10)["action"] == "TASKS_CREATED"
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "8.8.8.8"])
def test_no_other_address_can_be_named(api: httpx.Client, project: int, host: str) -> None:
    url = f"http://{host}:{free_port()}/"
    hook = {"url": url, "project": project, "send_for_all_actions": False, "actions": ["TASKS_CREATED"]}
    assert api.post("/api/webhooks/", json=hook).status_code >= 400
    assert api.post(f"/api/projects/{project}/import", data={"url": url}).status_code >= 400


def test_the_front_page_fetches_no_news(api: httpx.Client) -> None:
    answer = api.get("/heidi-tips")
    assert (answer.status_code, answer.text) == (404, "{}")
    assert answer.elapsed.total_seconds() < 2


def test_nobody_signs_up_without_a_link(studio: Studio) -> None:
    with httpx.Client(base_url=studio.connection.url) as client:
        client.get("/user/signup/")
        form = {"email": "x@mill.example", "password": "flour-and-bread", "csrfmiddlewaretoken": "x"}
        assert client.post("/user/signup/", data=form).status_code == 403


def test_other_sites_may_not_ask_on_behalf_of_a_visitor(studio: Studio) -> None:
    answer = httpx.get(f"{studio.connection.url}/api/projects/", headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert httpx.get(studio.connection.url, headers={"Host": "elsewhere.example"}).status_code == 400
