"""Issues as Jira writes them, made by hand for tests."""

import json
from pathlib import Path
from typing import Any

HOST = "https://jira.example.org"
EXCERPT = Path(__file__).parent / "data" / "jira-excerpt.json"


def person(name: str, **more: Any) -> dict[str, Any]:
    """A person as fields, comments and histories hold one."""
    return {"name": name, "displayName": name.title()} | more


def issue(key: str = "WEB-1", **fields: Any) -> dict[str, Any]:
    """An issue with what it must have; `id`, `self`, `histories` and `comments` are no fields."""
    number = key.rpartition("-")[2]
    own_id = fields.pop("id", f"10{number}")
    histories = fields.pop("histories", [])
    comments = fields.pop("comments", [])
    own = {
        "summary": f"Summary of {key}",
        "created": "2024-01-01T10:00:00.000+0000",
        "updated": "2024-01-09T10:00:00.000+0000",
        "project": {"key": key.rpartition("-")[0], "name": "The Web"},
        "issuetype": {"name": "Bug"},
        "status": {"id": "1", "name": "Open", "statusCategory": {"key": "new"}},
        "reporter": person("rita"),
        "creator": person("rita"),
        "comment": {"comments": comments, "total": len(comments)},
    }
    return {
        "id": own_id,
        "key": key,
        "self": f"{HOST}/rest/api/2/issue/{own_id}",
        "fields": own | fields,
        "changelog": {"histories": histories, "total": len(histories)},
    }


def history(
    number: int, *items: dict[str, Any], author: str = "mia", at: str | None = None
) -> dict[str, Any]:
    """An entry of the changelog, on January `number` + 1 at noon unless told otherwise."""
    created = at or f"2024-01-{number + 1:02}T12:00:00.000+0000"
    return {"id": str(500 + number), "author": person(author), "created": created, "items": list(items)}


def item(field: str, old: str | None, new: str | None, **more: Any) -> dict[str, Any]:
    """One changed field of an entry."""
    return {"field": field, "from": None, "fromString": old, "to": None, "toString": new} | more


def comment(number: int, body: str, **more: Any) -> dict[str, Any]:
    """A comment, on January `number` + 1 in the afternoon."""
    at = f"2024-01-{number + 1:02}T15:00:00.000+0000"
    return {
        "id": str(900 + number),
        "author": person("mia"),
        "body": body,
        "created": at,
        "updated": at,
    } | more


def write(path: Path, *issues: dict[str, Any], **around: Any) -> Path:
    """Write a file of Jira's search."""
    path.write_text(json.dumps({"issues": list(issues), **around}))
    return path
