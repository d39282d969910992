"""The product behind nginx with the very configuration that the containers use."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.full_mode import FullMode, full_mode
from tests.nginx import nginx, nginx_path
from tests.processes import ROOT, environment, free_port

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]
MIB = 1024 * 1024
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Site:
    """The product as clients see it."""

    url: str
    port: int
    folder: Path
    full: FullMode
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header of who is signed in: an admin."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def stored_bytes(self) -> int:
        """How much nginx keeps of bodies and replies."""
        kept = [path for name in ("bodies", "proxied") for path in (self.folder / name).rglob("*")]
        return sum(path.stat().st_size for path in kept if path.is_file())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nginx before granian and daphne, with an admin and a project."""
    if nginx_path() is None:
        pytest.skip("needs nginx")
    port, data_dir = free_port(), tmp_path_factory.mktemp("data")
    url = f"http://127.0.0.1:{port}"
    settings = {
        "BASE_URL": url,
        "TRUSTED_PROXIES": "127.0.0.1",
        "HTTP_WORKERS": "1",
        "SOCKET_PROCESSES": "1",
        "RATE_LIMITS": "on",
        "FILES_ACCEL_PREFIX": "/_files/",
    }
    with full_mode(data_dir, **settings) as full:
        ports = {"http_port": full.server.port, "socket_port": full.socket_port}
        folder = tmp_path_factory.mktemp("nginx") / "prefix"
        with nginx(folder, port=port, data_dir=data_dir, **ports) as folder:
            yield Site(url, port, folder, full, _begin(url, full))


def _begin(url: str, full: FullMode) -> str:
    env = environment(full.server.data_dir, port=0) | full.settings
    command = [sys.executable, "manage.py", "create_admin", "admin@example.org", "--password-from-stdin"]
    subprocess.run(command, cwd=ROOT, env=env, input=PASSWORD, text=True, check=True, capture_output=True)
    body = {"email": "admin@example.org", "password": PASSWORD}
    token: str = httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=30).json()["access"]
    bearer = {"Authorization": f"Bearer {token}"}
    project = {"key": "API", "name": "The API"}
    assert httpx.post(f"{url}/api/v1/projects", json=project, headers=bearer, timeout=30).status_code == 201
    return token


def file_issue(site: Site, title: str) -> dict[str, Any]:
    """File an issue through nginx and return it."""
    body = {"project": "API", "title": title}
    reply = httpx.post(f"{site.url}/api/v1/issues", json=body, headers=site.bearer, timeout=30)
    assert reply.status_code == 201, reply.text
    issue: dict[str, Any] = reply.json()
    return issue


def test_pages_come_with_their_policy_and_name_no_other_address(site: Site) -> None:
    reply = httpx.get(f"{site.url}/accounts/login/", timeout=30)

    assert reply.status_code == 200
    assert "default-src 'self'" in reply.headers["content-security-policy"]
    assert 'name="live-url"' not in reply.text
    assert "granian" not in reply.headers["server"]


def test_a_page_is_compressed_and_its_static_files_are_kept_for_ever(site: Site) -> None:
    page = httpx.get(f"{site.url}/accounts/login/", timeout=30)
    assert page.headers["content-encoding"] == "gzip"
    sheets = re.findall(r'<link rel="stylesheet" href="(/static/[^"]+)"', page.text)
    assert sheets

    for sheet in sheets:
        reply = httpx.get(f"{site.url}{sheet}", timeout=30)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers["server"] == "nginx"
    log = site.full.server.output()
    assert not [sheet for sheet in sheets if sheet in log]  # no process of ours was asked


def test_a_form_is_accepted_with_its_origin(site: Site) -> None:
    with httpx.Client(base_url=site.url, timeout=30, follow_redirects=True) as browser:
        page = browser.get("/accounts/login/")
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found is not None
        form = {"email": "admin@example.org", "password": PASSWORD, "next": ""}
        reply = browser.post(
            "/accounts/login/", data=form | {"csrfmiddlewaretoken": found[1]}, headers={"Origin": site.url}
        )

        assert reply.status_code == 200
        assert "sessionid" in browser.cookies


def test_the_api_answers_and_a_compressed_tag_still_counts(site: Site) -> None:
    issue = file_issue(site, "Compressed")
    path = f"{site.url}/api/v1/issues/{issue['key']}"
    first = httpx.get(path, headers=site.bearer, timeout=30)
    tag = f"W/{first.headers['etag'].removeprefix('W/')}"

    assert first.status_code == 200
    again = httpx.get(path, headers=site.bearer | {"If-None-Match": tag}, timeout=30)
    assert again.status_code == 304
    headers = site.bearer | {"If-Match": tag}
    reply = httpx.patch(path, json={"title": "Changed"}, headers=headers, timeout=30)
    assert reply.status_code == 200


async def test_a_socket_hears_of_a_new_issue(site: Site) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{site.port}/ws/") as client:
        await client.send(json.dumps({"type": "auth", "token": site.token}))
        await client.send(json.dumps({"type": "subscribe"}))
        while json.loads(await client.recv())["type"] != "ready":
            pass
        issue = file_issue(site, "Heard")

        frame = json.loads(await client.recv())
        assert (frame["event"], frame["issue"]["key"]) == ("ISSUE_CREATED", issue["key"])


async def test_a_socket_that_names_a_secret_leaves_it_in_no_log(site: Site) -> None:
    canary = "canary_that_is_as_long_as_a_secret"
    for query in (f"token={canary}", f"ticket={canary}"):
        async with websockets.connect(f"ws://127.0.0.1:{site.port}/ws/?{query}") as client:
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
        assert client.close_code == 4401
    httpx.get(f"{site.url}/setup/setup_{canary}/", timeout=30)

    logs = [path.read_text() for path in site.folder.glob("*.log")] + [site.full.server.output()]
    assert any("/ws/" in log for log in logs)
    assert not [log for log in logs if canary in log]


@pytest.mark.parametrize("path", ["/api/v1/events/stream", "/api/v1/events/stream/"])
def test_the_event_stream_is_not_held_back(site: Site, path: str) -> None:
    with httpx.stream("GET", f"{site.url}{path}", headers=site.bearer, timeout=30) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        lines = reply.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: ready"
        issue = file_issue(site, "Streamed")

        assert issue["key"] in next(line for line in lines if issue["key"] in line)


@pytest.mark.parametrize("path", ["/api/v1/issues/API-1/attachments", "/api/v1/issues", "/accounts/login/"])
def test_300_mb_are_refused_by_their_announcement(site: Site, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nContent-Length: {300 * MIB}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert (b'"E_TOO_LARGE"' in answer) == path.startswith("/api/")


def test_300_mb_without_an_announcement_are_refused_before_they_are_stored(site: Site) -> None:
    head = (
        f"POST /api/v1/issues/API-1/attachments HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
        "Transfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    chunk = b"%x\r\n%s\r\n" % (MIB, b"x" * MIB)
    sent, most = 0, 0
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(head.encode())
        try:
            while sent < 300:
                connection.sendall(chunk)
                sent, most = sent + 1, max(most, site.stored_bytes)
        except OSError:
            pass  # it hung up
        answer = b"" if sent < 300 else connection.recv(65536)

    assert sent < 300 or answer.startswith(b"HTTP/1.1 413 ")
    assert most <= 27 * MIB
    assert site.stored_bytes <= 27 * MIB
    assert "path=/api/v1/issues/API-1/attachments" not in site.full.server.output()


def test_an_id_of_the_client_goes_through_and_a_bad_one_is_replaced(site: Site) -> None:
    kept = httpx.get(f"{site.url}/api/v1/issues", headers={"X-Request-ID": "mine-42"}, timeout=30)
    replaced = httpx.get(f"{site.url}/api/v1/issues", headers={"X-Request-ID": "not mine!"}, timeout=30)

    assert kept.headers["x-request-id"] == "mine-42"
    assert kept.json()["request_id"] == "mine-42"
    assert re.fullmatch(r"[0-9a-f]{32}", replaced.headers["x-request-id"])
    assert replaced.headers["x-request-id"] in (site.folder / "access.log").read_text()


def test_the_client_is_counted_by_its_own_address_whatever_it_says(site: Site) -> None:
    def remaining(address: str, said: str) -> int:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=30) as client:
            reply = client.get(f"{site.url}/api/v1/issues", headers={"X-Forwarded-For": said})
            return int(reply.headers["x-ratelimit-remaining"])

    assert remaining("127.0.0.9", "1.2.3.4") == 119
    assert remaining("127.0.0.9", "5.6.7.8") == 118
    assert remaining("127.0.0.8", "1.2.3.4") == 119


def test_the_files_folder_is_not_served_to_who_asks_for_it(site: Site) -> None:
    folder = site.full.server.data_dir / "files"
    folder.mkdir(exist_ok=True)
    (folder / "secret.txt").write_text("secret")

    for path in ("/_files/secret.txt", "/static/../files/secret.txt", "/static../files/secret.txt"):
        reply = httpx.get(f"{site.url}{path}", timeout=30)
        assert reply.status_code == 404
        assert reply.text != "secret"


def test_an_upload_of_20_mb_comes_back_as_it_was(site: Site) -> None:
    issue = file_issue(site, "With a file")
    content = b"".join(b"%011d\n" % number for number in range(20 * MIB // 12))
    path = f"{site.url}/api/v1/issues/{issue['key']}/attachments"
    reply = httpx.post(path, files={"file": ("a.txt", content)}, headers=site.bearer, timeout=120)
    assert reply.status_code == 201, reply.text

    address = f"{site.url}/api/v1/attachments/{reply.json()['id']}/content"
    sent = httpx.get(address, headers=site.bearer, timeout=120)
    assert sent.content == content
    assert sent.headers["x-content-type-options"] == "nosniff"
    assert sent.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert sent.headers["content-disposition"].startswith("attachment")
    part = httpx.get(address, headers=site.bearer | {"Range": "bytes=10-19"}, timeout=120)
    assert (part.status_code, part.content) == (206, content[10:20])
    assert httpx.get(address, timeout=30).status_code == 401
    beyond = httpx.get(address, headers=site.bearer | {"Range": f"bytes={len(content)}-"}, timeout=30)
    assert (beyond.status_code, beyond.json()["error"]) == (416, "E_VALIDATION")
    assert beyond.headers["content-range"] == f"bytes */{len(content)}"


def test_a_file_that_is_missing_is_404_in_the_form_of_the_api(site: Site) -> None:
    issue = file_issue(site, "Without its file")
    path = f"{site.url}/api/v1/issues/{issue['key']}/attachments"
    sent = httpx.post(path, files={"file": ("a.txt", b"lost")}, headers=site.bearer, timeout=30).json()
    address = f"{site.url}/api/v1/attachments/{sent['id']}/content"
    for file in (site.full.server.data_dir / "files" / "attachments").rglob("*"):
        if file.is_file() and file.read_bytes() == b"lost":
            file.unlink()

    reply = httpx.get(address, headers=site.bearer, timeout=30)
    assert (reply.status_code, reply.json()["error"]) == (404, "E_NOT_FOUND")


def test_a_file_that_nginx_cannot_read_is_404_in_the_form_of_the_api(site: Site, tmp_path: Path) -> None:
    issue = file_issue(site, "In another folder")
    path = f"/api/v1/issues/{issue['key']}/attachments"
    form = {"file": ("a.txt", b"elsewhere")}
    sent = httpx.post(f"{site.url}{path}", files=form, headers=site.bearer, timeout=30).json()
    port, ports = free_port(), {"http_port": site.full.server.port, "socket_port": site.full.socket_port}
    (tmp_path / "files").mkdir()
    with nginx(tmp_path / "nginx", port=port, data_dir=tmp_path, **ports):
        address = f"http://127.0.0.1:{port}/api/v1/attachments/{sent['id']}/content"
        reply = httpx.get(address, headers=site.bearer, timeout=30)

    assert (reply.status_code, reply.json()["error"]) == (404, "E_NOT_FOUND")
    assert reply.headers["content-type"].startswith("application/json")


def test_servers_that_are_away_are_503_in_the_form_of_the_api(site: Site, tmp_path: Path) -> None:
    port, nobody = free_port(), free_port()
    data_dir = site.full.server.data_dir
    with nginx(tmp_path / "away", port=port, http_port=nobody, socket_port=nobody, data_dir=data_dir):
        reply = httpx.get(f"http://127.0.0.1:{port}/api/v1/issues", timeout=30)

    assert (reply.status_code, reply.json()["error"]) == (503, "E_UNAVAILABLE")
    assert reply.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("public_port", "authority"), [("443", "$host"), ("8443", "$host:8443"), ("127.0.0.1:8443", "$host:8443")]
)
def test_with_a_certificate_it_speaks_tls_and_sends_everybody_there(
    tmp_path: Path, public_port: str, authority: str
) -> None:
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / name).write_text("x")
    env = {**os.environ, "NGINX_DIR": str(tmp_path / "prefix"), "CERTIFICATES": str(tmp_path)}
    env["PUBLIC_HTTPS_PORT"] = public_port
    subprocess.run([ROOT / "deploy" / "nginx" / "30-listen.sh"], env=env, check=True)

    written = (tmp_path / "prefix" / "listen.conf").read_text()
    assert "listen 443 ssl http2;" in written
    assert f"return 308 https://{authority}$request_uri;" in written
