"""The embedded server holds its limits against real clients."""

import asyncio
import json
import select
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from tests.processes import ServerProcess, environment, free_port

pytestmark = pytest.mark.embedded
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The toy application on a real port."""
    running = start(tmp_path_factory.mktemp("toy"))
    yield running
    running.stop()


def start(path: Path) -> ServerProcess:
    port = free_port()
    arguments = ["-m", "tracker.tests.toy_server", str(port)]
    running = ServerProcess(arguments, port=port, env=environment(path, port=port), log=path / "log")
    running.wait_until_it_listens()
    return running


def raw(server: ServerProcess, head: str, body: bytes = b"") -> bytes:
    """Send bytes as they are and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode("latin1") + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_body_within_the_limit_reaches_the_application(server: ServerProcess) -> None:
    reply = httpx.post(
        f"{server.base_url}/api/v1/issues", content=b" " * MIB, headers={"Content-Type": "application/json"}
    )

    assert reply.text == str(MIB)


def test_a_form_reaches_the_application_whole_and_malformed_multipart_too(server: ServerProcess) -> None:
    reply = httpx.post(
        f"{server.base_url}/upload", content=b"nonsense", headers={"Content-Type": "multipart/form-data"}
    )

    assert reply.text == "8"


def test_json_over_one_mib_is_refused_before_it_is_sent(server: ServerProcess) -> None:
    answer = raw(
        server,
        f"POST /api/v1/issues?token=canary-in-a-query HTTP/1.1\nHost: x\nContent-Type: application/json\n"
        f"Expect: 100-continue\nContent-Length: {MIB + 1}\n\n",
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer
    reply = json.loads(body)
    assert reply["error"] == "E_TOO_LARGE"
    assert set(reply) == {"error", "message", "details", "request_id"}
    assert reply["request_id"].encode() in head
    assert "canary-in-a-query" not in server.output()


@pytest.mark.parametrize("header", [f"Content-Length: {300 * MIB}", "Transfer-Encoding: chunked"])
def test_an_anonymous_upload_of_300_mb_is_refused_and_not_kept(server: ServerProcess, header: str) -> None:
    before = server.memory_bytes()
    started = time.monotonic()

    sent, answer = upload_300_mb(server, f"POST /api/v1/attachments HTTP/1.1\nHost: x\n{header}\n\n")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert sent < 150 * MIB
    assert time.monotonic() - started < 10
    assert server.memory_bytes() - before < 40 * MIB
    assert not temporary_files(server)


@pytest.mark.parametrize("header", [f"Content-Length: {20 * MIB}", "Transfer-Encoding: chunked"])
def test_an_upload_of_nobody_is_refused_before_it_is_read(server: ServerProcess, header: str) -> None:
    head = f"POST /api/v1/issues/API-1/attachments HTTP/1.1\nHost: x\n{header}\n"
    form = "Content-Type: multipart/form-data; boundary=x\n"
    sent, answer = upload_300_mb(server, f"{head}{form}\n")
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"www-authenticate: Bearer" in answer
    assert sent < 20 * MIB
    _, answer = upload_300_mb(server, f"{head}\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def upload_300_mb(server: ServerProcess, head: str) -> tuple[int, bytes]:
    """Send until there is an answer, as a client does; return how much was sent, and the answer."""
    is_chunked = "chunked" in head
    part = b"100000\r\n" + b"x" * MIB + b"\r\n" if is_chunked else b"x" * MIB
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        sent = 0
        while sent < 300 * MIB and not select.select([connection], [], [], 0)[0]:
            connection.sendall(part)
            sent += MIB
        return sent, connection.recv(65536)


def temporary_files(server: ServerProcess) -> list[str]:
    """Return the files without a name that the process holds: where a body would be stored."""
    links = (link.readlink() for link in Path(f"/proc/{server.process.pid}/fd").iterdir())
    return [str(link) for link in links if "(deleted)" in str(link)]


def test_a_chunked_body_is_counted_for_json_too(server: ServerProcess) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(3):
            yield b" " * (MIB // 2)

    reply = httpx.post(
        f"{server.base_url}/api/v1/issues", content=parts(), headers={"Content-Type": "application/json; x=y"}
    )

    assert reply.status_code == 413
    assert reply.json()["error"] == "E_TOO_LARGE"


def test_a_page_is_refused_as_a_page(server: ServerProcess) -> None:
    answer = raw(server, f"POST /issues/new HTTP/1.1\nHost: x\nContent-Length: {27 * MIB}\n\n")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"<!doctype html>" in answer


def test_a_fault_of_the_application_is_logged_without_secrets(
    server: ServerProcess,
) -> None:
    assert httpx.get(f"{server.base_url}/crash?ticket=canary-in-a-query").status_code == 500

    assert "RuntimeError" in server.output()
    assert "canary" not in server.output()


def test_a_bad_path_below_the_api_is_refused_in_its_form(server: ServerProcess) -> None:
    answer = raw(server, "GET /api/v1/\xff HTTP/1.1\nHost: x\nConnection: close\n\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_download_waits_for_a_client_that_does_not_read(server: ServerProcess) -> None:
    before = server.memory_bytes()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2)
        grown = server.memory_bytes() - before

    assert grown < 20 * MIB


def test_a_download_arrives_whole_for_one_that_reads(server: ServerProcess) -> None:
    reply = httpx.get(f"{server.base_url}/flood", timeout=60)

    assert len(reply.content) == 4000 * 64 * 1024


async def test_a_frame_over_64_kib_closes_the_socket_with_1009(server: ServerProcess) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/ws/", max_size=None) as client:
        await client.send("x" * 65536)
        assert len(await client.recv()) == 65536
        await client.send("x" * 65537)
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 1009


async def test_a_frame_of_32_mib_is_not_kept(server: ServerProcess) -> None:
    before = server.memory_bytes()
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/ws/", max_size=None) as client:
        with pytest.raises(websockets.ConnectionClosed):
            await send_and_receive(client, "x" * 32 * MIB)

    assert server.memory_bytes() - before < 16 * MIB


async def send_and_receive(client: websockets.ClientConnection, text: str) -> None:
    await client.send(text)
    await client.recv()


async def test_text_that_is_not_utf8_closes_the_socket_with_1007(server: ServerProcess) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/ws/") as client:
        await client.send(b"\xff\xfe", text=True)
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 1007


@pytest.mark.parametrize("path", ["/ws/patient", "/ws/impatient"])
async def test_a_socket_whose_client_does_not_read_costs_little(server: ServerProcess, path: str) -> None:
    before = server.memory_bytes()
    connection = socket.create_connection(("127.0.0.1", server.port))
    key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{key}Sec-WebSocket-Version: 13\r\n\r\n".encode())
    await asyncio.sleep(2)
    grown = server.memory_bytes() - before
    connection.close()

    assert grown < 40 * MIB


async def test_a_socket_whose_client_reads_slowly_gets_everything(server: ServerProcess) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/ws/patient", max_size=None) as client:
        for _ in range(4000):
            frame = await client.recv()
            assert len(frame) == 64 * 1024


async def test_socket_traffic_is_logged_without_the_query(server: ServerProcess) -> None:
    async with websockets.connect(
        f"ws://127.0.0.1:{server.port}/ws/?ticket=canary-1&token=canary-2"
    ) as client:
        await client.send("hello")
        assert await client.recv() == "hello"

    assert "socket connected" in server.output()
    assert "canary" not in server.output()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_when_the_server_ends(tmp_path: Path, sent: signal.Signals) -> None:
    running = start(tmp_path)
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        exit_code = running.stop(sent, within_seconds=10)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert b"late" in answer
    assert exit_code == 0


async def test_a_socket_is_told_that_the_server_goes_away(tmp_path: Path) -> None:
    running = start(tmp_path)
    async with websockets.connect(f"ws://127.0.0.1:{running.port}/ws/") as client:
        await client.send("hello")
        await client.recv()
        exit_code = await asyncio.to_thread(running.stop)
        with pytest.raises(websockets.ConnectionClosed):
            await client.recv()

    assert client.close_code == 1001
    assert exit_code == 0
