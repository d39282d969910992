"""What an imported issue must be, worked out from the file by code that shares nothing with the importer."""

import re
from datetime import UTC, datetime
from typing import Any

from accounts.models import ExternalIdentity
from issues.models import Issue, Relation
from tracker.clock import iso
from tracker.models import Event

TYPES = {"Bug": "bug", "Task": "task", "Improvement": "feature", "New Feature": "feature", "Wish": "feature",
         "Sub-task": "task", "Question": "question", "Test": "task"}  # fmt: skip
PRIORITIES = {"Blocker": 4, "Critical": 3, "Major": 2, "Minor": 1, "Trivial": 1}
CATEGORIES = {"new": "unstarted", "indeterminate": "started", "done": "done"}
LABELS_OF_RESOLUTIONS = {
    "Duplicate": "duplicate", "Invalid": "invalid", "Won't Fix": "wontfix",
    "Cannot Reproduce": "cannot-reproduce",
    "Not a Problem": "not-a-problem", "Incomplete": "incomplete", "Implemented": "implemented",
    "Unresolved": "unresolved", "Later": "later",
}  # fmt: skip
SOURCE = "jira:issues.apache.org"


def moment(written: str | None) -> str | None:
    """The time of a file as the API writes it."""
    if written is None:
        return None
    read = datetime.strptime(written, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    return iso(read)


def expected_fields(raw: dict[str, Any]) -> dict[str, Any]:
    """The fields of an issue, from the file."""
    fields = raw["fields"]
    labels = {name.lower() for name in fields["labels"]}
    labels |= {each["name"].lower() for each in fields["components"] or []}
    versions = [each["name"] for each in fields["fixVersions"]]
    labels |= {name.lower() for name in versions[1:]}
    resolution = (fields["resolution"] or {}).get("name")
    labels |= {LABELS_OF_RESOLUTIONS[resolution]} if resolution in LABELS_OF_RESOLUTIONS else set()
    is_done = fields["status"]["statusCategory"]["key"] == "done"
    return {
        "key": raw["key"],
        "title": fields["summary"].strip(),
        "type": TYPES[fields["issuetype"]["name"]],
        "status": fields["status"]["name"],
        "category": CATEGORIES[fields["status"]["statusCategory"]["key"]],
        "priority": PRIORITIES[fields["priority"]["name"]],
        "severity": 2,
        "reporter": fields["reporter"]["name"].lower(),
        "reporter_name": fields["reporter"]["displayName"].strip(),
        "assignee": fields["assignee"]["name"].lower() if fields["assignee"] else None,
        "labels": labels,
        "milestone": versions[0] if versions else None,
        "estimate": None,
        "due_date": fields.get("duedate"),
        "created_at": moment(fields["created"]),
        "updated_at": moment(fields["updated"]),
        "closed_at": moment(fields["resolutiondate"]) if is_done else None,
        "words": words(fields["description"] or ""),
    }


def stored_fields(issue: Issue) -> dict[str, Any]:
    """The same of the database."""
    return {
        "key": f"{issue.project.key}-{issue.number}",
        "title": issue.title,
        "type": issue.type,
        "status": issue.status.name,
        "category": issue.status.category,
        "priority": issue.priority,
        "severity": issue.severity,
        "reporter": identity(issue.reporter_id),
        "reporter_name": issue.reporter.name,
        "assignee": identity(issue.assignee_id),
        "labels": {label.name.lower() for label in issue.labels.all()},
        "milestone": issue.milestone.name if issue.milestone else None,
        "estimate": issue.estimate,
        "due_date": str(issue.due_date) if issue.due_date else None,
        "created_at": iso(issue.created_at),
        "updated_at": iso(issue.updated_at),
        "closed_at": iso(issue.closed_at),
        "words": words(issue.description),
    }


def words(text: str) -> list[str]:
    """The long words of a text; markup changes what stands between them."""
    text = re.sub(r"title=|borderStyle=\w+", " ", text)
    letters = "".join(character if character.isalnum() else " " for character in text.lower())
    skipped = {"code", "noformat", "quote", "panel", "color", "java", "javascript", "thumbnail"}
    return sorted({word for word in letters.split() if len(word) > 3} - skipped)


def identity(user_id: Any) -> str | None:
    """The key of a person at the source."""
    if user_id is None:
        return None
    return ExternalIdentity.objects.values_list("external_id", flat=True).get(user_id=user_id, source=SOURCE)


def expected_history(raw: dict[str, Any]) -> list[tuple[str, str | None, str, dict[str, Any]]]:
    """Time, author, id and plain changes of each entry, from the file: of fields told as they are."""
    rows = []
    for entry in raw["changelog"]["histories"]:
        plain: dict[str, Any] = {}
        for item in entry["items"]:
            if item["field"] == "summary":
                plain["title"] = [item["fromString"].strip(), item["toString"].strip()]
            if item["field"] == "status":
                plain["status"] = [slug(item["fromString"]), slug(item["toString"])]
            if item["field"] == "assignee":
                plain["assignee"] = [item["from"], item["to"]]
        author = entry["author"]["name"].lower() if entry.get("author") else None
        rows.append((moment(entry["created"]) or "", author, f"history:{entry['id']}", plain))
    return sorted(rows, key=lambda row: (row[0], row[2]))


def stored_history(issue: Issue) -> list[tuple[str, str | None, str, dict[str, Any]]]:
    """The same of the event log."""
    rows = []
    for event in Event.objects.filter(issue_id=issue.pk, external_id__startswith="history:"):
        plain = {
            name: pair for name, pair in event.changes.items() if name in {"title", "status", "assignee"}
        }
        if "assignee" in plain:
            plain["assignee"] = [identity(each["id"]) if each else None for each in plain["assignee"]]
        if "status" in plain:
            assert len(event.data["categories"]) == 2
        rows.append((iso(event.at) or "", identity(event.actor_id), event.external_id or "", plain))
        assert event.source == "import"
    return sorted(rows, key=lambda row: (row[0], row[2]))


def slug(name: str) -> str:
    """The slug of a status."""
    return name.lower().replace(" ", "_").replace("-", "_")


def expected_comments(raw: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Id, author, times and words of each comment, from the file."""
    return sorted(
        (
            each["id"],
            each["author"]["name"].lower(),
            moment(each["created"]),
            moment(each["updated"]) if each["updated"] != each["created"] else None,
            words(each["body"]),
        )
        for each in raw["fields"]["comment"]["comments"]
    )


def stored_comments(issue: Issue) -> list[tuple[Any, ...]]:
    """The same of the database."""
    return sorted(
        (
            each.external_id,
            identity(each.author_id),
            iso(each.created_at),
            iso(each.edited_at),
            words(each.body),
        )
        for each in issue.comments.all()
    )


def related_keys(issue: Issue) -> set[str]:
    """The keys of all issues that an issue has to do with."""
    found = {f"{child.project.key}-{child.number}" for child in issue.children.select_related("project")}
    if issue.parent:
        found.add(f"{issue.parent.project.key}-{issue.parent.number}")
    for relation in Relation.objects.filter(source=issue).select_related("target__project"):
        found.add(f"{relation.target.project.key}-{relation.target.number}")
    for relation in Relation.objects.filter(target=issue).select_related("source__project"):
        found.add(f"{relation.source.project.key}-{relation.source.number}")
    return found


def expected_related(raw: dict[str, Any], there: set[str]) -> set[str]:
    """The same from the file, as far as the files have those issues."""
    fields = raw["fields"]
    found = {(link.get("outwardIssue") or link.get("inwardIssue"))["key"] for link in fields["issuelinks"]}
    found |= {child["key"] for child in fields["subtasks"]}
    if fields.get("parent"):
        found.add(fields["parent"]["key"])
    return found & there
