"""The shape of the code: imports run one way, and only services write."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("tracker", "accounts", "issues", "dashboard", "transfer")
MAY_IMPORT = {
    "tracker": set(),
    "accounts": {"tracker"},
    "issues": {"tracker", "accounts"},
    "dashboard": {"tracker", "accounts", "issues"},
    "transfer": {"tracker", "accounts", "issues"},
}
# These name the apps in order to put the product together.
ASSEMBLY = {
    "tracker/settings.py", "tracker/urls.py", "tracker/api_urls.py", "tracker/asgi.py", "tracker/wsgi.py",
    "tracker/celery.py", "tracker/schedules.py", "tracker/management/commands/serve.py",
    "tracker/management/commands/serve_full.py", "tracker/management/commands/serve_sockets.py",
}  # fmt: skip
ALWAYS_WRITES = {
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "save",
    "acreate",
    "asave",
}
QUERYSET_WRITES = {"create", "update", "delete", "add", "remove", "set", "clear"}
QUERYSET_WORDS = {"objects", "filter", "exclude", "all", "select_for_update", "order_by", "visible_to"}
RELATIONS = {"groups", "permissions", "user_permissions", "members", "labels", "teams"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product but migrations and tests."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and "/tests/" not in name:
                yield name, parsed(path.read_text())


def parsed(code: str) -> ast.Module:
    """Parse; once more where Python itself stumbles (early 3.11: another thread's parsing disturbs it)."""
    try:
        return ast.parse(code)
    except SystemError:
        return ast.parse(code)


def imported_apps(tree: ast.Module) -> set[str]:
    """The apps that a module imports, anywhere in it; what is only for type checkers counts too, but for
    `tracker`, whose types name the user."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found & set(APPS)


def writes(tree: ast.Module) -> list[str]:
    """The calls of a module that write rows."""
    return [
        ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call) and is_write(node)
    ]


def is_write(call: ast.Call) -> bool:
    """Whether a call writes rows: by its name, or by its name and a queryset or relation before it."""
    if not isinstance(call.func, ast.Attribute):
        return False
    method, receiver = call.func.attr, call.func.value
    if method in ALWAYS_WRITES:
        return True
    if method not in QUERYSET_WRITES:
        return False
    words = {part.attr for part in ast.walk(receiver) if isinstance(part, ast.Attribute)}
    is_relation = isinstance(receiver, ast.Attribute) and receiver.attr in RELATIONS
    is_row = method == "delete" and isinstance(receiver, ast.Name) and not call.args
    return bool(words & QUERYSET_WORDS) or is_relation or is_row


def may_write(name: str) -> bool:
    """Services of any app, the event log, and rows of no domain: keys of repeats, versions, defaults."""
    return (
        "/services/" in name
        or name.startswith("tracker/events/")
        or name in {"tracker/api/idempotency.py", "tracker/versions.py", "accounts/role_defaults.py"}
        or name in NOT_DOMAIN
    )


# Rows of the machinery, with the reason why they are not the domain's.
NOT_DOMAIN = {
    "tracker/files/pictures.py": "pictures, saved in memory",
    "tracker/files/storage.py": "files, no rows",
    "tracker/schedules.py": "the timetable of django-celery-beat",
    "tracker/tasks.py": "drops keys of repeats that are over",
    "tracker/durable.py": "state and lease of rows that are work",
    "tracker/jobs.py": "rows of housekeeping",
    "tracker/checks.py": "",
}


def test_imports_run_one_way() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in sources()
        if name not in ASSEMBLY
        for other in imported_apps(tree) - MAY_IMPORT[name.split("/")[0]] - {name.split("/")[0]}
    ]
    assert wrong == []


def test_only_services_and_the_recorder_write_rows() -> None:
    wrong = [f"{name}: {call}" for name, tree in sources() if not may_write(name) for call in writes(tree)]
    assert wrong == []


@pytest.mark.parametrize(
    "code",
    [
        "issue.save()",
        "Issue.objects.create(title='x')",
        "Issue.objects.filter(pk=1).update(title='x')",
        "issue.delete()",
        "Issue.objects.bulk_create(rows)",
        "user.groups.add(group)",
        "comment.issue.labels.set([])",
    ],
)
def test_a_write_outside_of_the_services_would_be_seen(code: str) -> None:
    assert writes(ast.parse(code))


@pytest.mark.parametrize(
    "code", ["digest.update(b'x')", "names.add('x')", "cache.set('a', 1)", "row.update(a=1)"]
)
def test_what_only_looks_like_a_write_is_let_be(code: str) -> None:
    assert writes(ast.parse(code)) == []


def test_an_import_against_the_direction_would_be_seen() -> None:
    assert imported_apps(ast.parse("def f():\n    from issues.models import Issue")) == {"issues"}


def test_models_have_no_save_of_their_own_and_no_signals() -> None:
    wrong = []
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == "save" and "/models" in name:
                wrong.append(f"{name} overrides save")
            if isinstance(node, ast.Name) and node.id in {
                "post_save",
                "pre_save",
                "post_delete",
                "m2m_changed",
            }:
                wrong.append(f"{name} uses {node.id}")
    assert wrong == []
