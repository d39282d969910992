"""nginx as an ordinary process with the product's own template, in a folder and on a port of its own."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.processes import ROOT

DEPLOY: Final = ROOT / "deploy" / "nginx"
_MAIN: Final = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/start.log;
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tracker.conf;
}}
"""


def nginx_path() -> str | None:
    """Return where nginx is installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx(folder: Path, *, port: int, http_port: int, socket_port: int, data_dir: Path) -> Iterator[Path]:
    """Run it in front of two servers until the end of the block; give its folder, where its logs are."""
    folder.mkdir()
    values = {
        "HTTP_UPSTREAM": f"127.0.0.1:{http_port}",
        "SOCKETS_UPSTREAM": f"127.0.0.1:{socket_port}",
        "STATIC_ROOT": str(data_dir / "static"),
        "FILES_ROOT": str(data_dir / "files"),
        "UPLOAD_LIMIT": "26m",
        "IMPORT_LIMIT": "101m",
        "NGINX_DIR": str(folder),
        "NGINX_ACCESS_LOG": str(folder / "access.log"),
        "NGINX_ERROR_LOG": str(folder / "error.log"),
    }
    environment = {**os.environ, **values, "HTTP_PORT": f"127.0.0.1:{port}"}
    subprocess.run([DEPLOY / "30-listen.sh"], env=environment, check=True)
    template = (DEPLOY / "templates" / "default.conf.template").read_text()
    # As the image's own script does it: names in capitals alone.
    (folder / "tracker.conf").write_text(re.sub(r"\$\{([A-Z_]+)\}", lambda found: values[found[1]], template))
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    process = subprocess.Popen([str(nginx_path()), "-c", str(folder / "nginx.conf"), "-p", str(folder)])
    try:
        _wait_until_it_listens(process, port)
        yield folder
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")
