"""The guide to a TLS proxy: its very configuration, in a real nginx, before a real browser."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from annotation.server.accounts import session
from annotation.server.home import Home
from annotation.server.lifecycle import start, stop
from tests.annotation.gate.projects import make_project
from tests.annotation.parts import CHROMIUM, Studio, empty_home
from tests.annotation.ports import free_port
from tests.architecture.tree import ROOT

GUIDE = ROOT / "annotation" / "server" / "README.md"
NAME = "labels.example.org"


@dataclass
class Proxied:
    studio: Studio
    port: int


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """A studio behind the guide's nginx."""
    folder = tmp_path_factory.mktemp("proxy")
    home, port = empty_home(folder / "studio"), free_port()
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert nginx, "no nginx is installed: on Debian, apt-get install nginx-light"
    certify(folder)
    words = [nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    try:
        connection = start(home, free_port(), f"https://{NAME}", print)
        configure(folder, port)
        subprocess.run(words, check=True, capture_output=True)
        admin = Home(home).admin
        assert admin is not None
        yield Proxied(Studio(home, connection, admin.email, admin.password), port)
    finally:
        if (folder / "nginx.pid").exists():
            subprocess.run([*words, "-s", "stop"], check=True, capture_output=True)
        stop(home)


def certify(folder: Path) -> None:
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "chain.pem")]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(words, check=True, capture_output=True)


def configure(folder: Path, port: int) -> None:
    """The guide's block as it stands, but for what this machine has elsewhere: ports and the certificate."""
    [block] = re.findall(r"^```nginx\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    here = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(folder / "chain.pem"),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(folder / "key.pem"),
        "http://127.0.0.1:8080": Home(folder / "studio").server.url,
    }
    for theirs, ours in here.items():
        assert block.count(theirs) == 1, theirs
        block = block.replace(theirs, ours)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(f"pid {folder}/nginx.pid; events {{}} http {{ {own} {block} }}")


@pytest.fixture
def elsewhere(proxied: Proxied, browser: Browser) -> Iterator[Browser]:
    """The browser of somebody who knows the server by its name only."""
    rule = f"--host-resolver-rules=MAP {NAME}:443 127.0.0.1:{proxied.port}, MAP * ~NOTFOUND"
    path = shutil.which("chromium")
    far = browser.browser_type.launch(executable_path=path, args=[*CHROMIUM, "--no-proxy-server", rule])
    yield far
    far.close()


def test_an_annotator_labels_by_https(proxied: Proxied, elsewhere: Browser) -> None:
    studio, asked = proxied.studio, list[str]()
    far = studio.annotator("far")
    with session(studio.connection.url, studio.admin_email, studio.admin_password) as api:
        project, _ = make_project(api, far.email)
    context = elsewhere.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"https://{NAME}/user/login/?next=%2Fprojects%2F{project}%2Fdata%3Flabeling%3D1")
    page.fill("input[name=email]", far.email)
    page.fill("input[name=password]", far.password)
    page.press("input[name=password]", "Enter")
    page.locator(".gm-prompt").wait_for()
    page.keyboard.press("2")
    with page.expect_response(lambda answer: "/annotations" in answer.url) as sent:
        page.keyboard.press("Control+Enter")
    assert sent.value.ok
    cookies = {cookie.get("name"): cookie.get("secure") for cookie in context.cookies()}
    assert cookies == {"__Host-gristmill": True, "csrftoken": True}
    context.close()
    assert {urlsplit(url).netloc for url in asked if url.startswith("http")} == {NAME}


def test_commands_of_this_machine_go_on_past_the_proxy(proxied: Proxied) -> None:
    connection = proxied.studio.connection
    assert (urlsplit(connection.url).hostname, connection.public_url) == ("127.0.0.1", f"https://{NAME}")
    assert proxied.studio.annotator("near").user_id


def test_the_address_is_remembered_until_it_is_taken_back(proxied: Proxied) -> None:
    home = proxied.studio.home
    assert start(home, None, None, print).public_url == f"https://{NAME}"
    stop(home)
    assert start(home, None, "", print).public_url == Home(home).server.url
