"""The files of a deployment agree with the product."""

import re
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT, free_port

_READ = re.compile(r'_(?:env\.\w+|int)\(\s*"([A-Z0-9_]+)"')
_OF_THE_PROXY = {
    "HTTP_UPSTREAM", "SOCKETS_UPSTREAM", "STATIC_ROOT", "FILES_ROOT", "UPLOAD_LIMIT", "IMPORT_LIMIT",
    "NGINX_DIR", "NGINX_ACCESS_LOG", "NGINX_ERROR_LOG",
}  # fmt: skip


def text_of(name: str) -> str:
    """Return the content of a file of the checkout."""
    return (ROOT / name).read_text()


def test_every_setting_is_in_the_example_with_a_line_about_it() -> None:
    settings = set(_READ.findall(text_of("tracker/env.py")))
    example = set(re.findall(r"^#?([A-Z0-9_]+)=", text_of(".env.example"), re.M))

    assert len(settings) > 20
    assert settings <= example


def test_compose_fills_in_everything_that_the_proxy_asks_for() -> None:
    template = text_of("deploy/nginx/templates/default.conf.template")
    compose = text_of("docker-compose.yml")

    assert set(re.findall(r"\$\{([A-Z_]+)\}", template)) == _OF_THE_PROXY
    for name in _OF_THE_PROXY:
        assert f"      {name}: " in compose


def test_what_the_containers_put_aside_is_not_in_memory() -> None:
    compose = text_of("docker-compose.yml")
    folder = re.search(r"^    TMPDIR: (/data/\S+)", compose, re.M)

    assert folder is not None
    assert f"mkdir -p -m 700 {folder[1]} && python manage.py migrate" in compose


def test_every_command_of_compose_exists() -> None:
    compose = text_of("docker-compose.yml")
    commands = re.findall(r"manage\.py[, ]+(\w+)", compose)

    assert {"migrate", "collectstatic", "serve_http", "serve_sockets"} <= set(commands)
    listing = subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); "
         "from django.core.management import get_commands; print(*get_commands())"],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
    )  # fmt: skip
    assert set(commands) <= set(listing.stdout.split())


def test_the_image_has_every_app_and_no_test() -> None:
    ignored = text_of(".dockerignore").splitlines()
    apps = {path.parent.name for path in Path(ROOT).glob("*/apps.py")}

    assert apps
    assert {f"!{app}" for app in apps | {"templates", "static"}} <= set(ignored)
    assert "**/tests" in ignored


def test_the_health_check_of_a_container_fails_where_nobody_listens() -> None:
    command = [sys.executable, "deploy/healthy.py", str(free_port())]

    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 1
