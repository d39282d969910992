"""How Jira's words become the product's, and the mapping file that changes it.

The tables are the decisions of `docs/imports.md`; a mapping file wins over each of them.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from transfer.report import Problem, Unreadable

CATEGORIES = ("backlog", "unstarted", "started", "blocked", "done", "canceled")
_TYPES = ("bug", "task", "feature", "story", "epic", "question")
_PRIORITIES = ("none", "low", "medium", "high", "urgent")
_LINKS = ("blocks", "blocked_by", "duplicates", "duplicated_by", "relates_to", "parent_of", "child_of", "")
_FIELD_TARGETS = ("estimate", "cycle", "labels", "milestone", "")

TYPE_WORDS = {
    "bug": "bug", "task": "task", "story": "story", "epic": "epic", "question": "question",
    "new feature": "feature", "improvement": "feature", "wish": "feature", "feature": "feature",
    "sub-task": "task", "subtask": "task",
}  # fmt: skip
PRIORITY_WORDS = {
    "blocker": "urgent", "highest": "urgent", "critical": "high", "high": "high", "major": "medium",
    "medium": "medium", "minor": "low", "low": "low", "trivial": "low", "lowest": "low", "none": "none",
}  # fmt: skip
STATUS_CATEGORY_KEYS = {"new": "unstarted", "indeterminate": "started", "done": "done"}
STATUS_NAMES = {
    **dict.fromkeys(
        ("open", "new", "to do", "todo", "reopened", "created", "accepted", "triaged", "ready"), "unstarted"
    ),
    **dict.fromkeys(("backlog", "selected for development", "awaiting triage", "triage"), "backlog"),
    **dict.fromkeys(
        ("in progress", "in review", "under review", "patch available", "review", "testing", "in testing",
         "qa", "in qa", "reviewable", "ready to commit", "implementing", "developing", "started"),
        "started",
    ),
    **dict.fromkeys(
        ("blocked", "on hold", "waiting", "waiting for infra", "waiting for user", "waiting for customer",
         "waiting for support", "pending", "deferred"),
        "blocked",
    ),
    **dict.fromkeys(
        ("done", "closed", "resolved", "fixed", "complete", "completed", "released", "verified"), "done"
    ),
    **dict.fromkeys(("canceled", "cancelled", "rejected", "won't do", "won't fix", "abandoned"), "canceled"),
}  # fmt: skip
FINISHED_RESOLUTIONS = frozenset({"fixed", "done", "resolved"})
_RESOLUTION_LABELS = {"won't fix": "wontfix", "won't do": "wontdo"}
_CONTAINERS = frozenset({"container", "incorporates"})
_DUPLICATES = frozenset({"duplicate", "duplicates", "cloners", "cloner"})


@dataclass(frozen=True, slots=True)
class Rules:
    """A mapping file, read. Names are compared without case; an empty word means: leave it out."""

    source: str = ""
    statuses: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    priorities: Mapping[str, str] = field(default_factory=dict)
    resolutions: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, str] = field(default_factory=dict)
    has_new_numbers: bool = False

    def type_of(self, name: str) -> tuple[str, bool]:
        """Return the issue type of a name, and whether the name is known."""
        folded = name.casefold()
        word = self.types.get(folded) or TYPE_WORDS.get(folded)
        return word or "task", word is not None

    def priority_of(self, name: str) -> tuple[str, bool]:
        """Return the priority of a name, and whether the name is known."""
        folded = name.casefold()
        word = self.priorities.get(folded) or PRIORITY_WORDS.get(folded)
        return word or "none", word is not None

    def label_of_resolution(self, name: str) -> str | None:
        """Return the label for an outcome other than that the work was done."""
        folded = name.casefold()
        if folded in self.resolutions:
            return self.resolutions[folded] or None
        if not folded or folded in FINISHED_RESOLUTIONS:
            return None
        return _RESOLUTION_LABELS.get(folded) or slug(name.replace("'", ""), "-")

    def link_of(self, kind: str, phrase: str, *, outward: bool) -> str:
        """Return what an issue is to the other: `blocks`, `blocked_by`, `parent_of` … or `relates_to`.

        `phrase` is Jira's own text for that direction; it tells who blocks whom, since "depends upon"
        points the other way than "blocks".
        """
        folded = kind.casefold()
        if folded in self.links:
            word = self.links[folded]
            return word if outward else _OPPOSITE.get(word, word)
        if folded in _CONTAINERS:
            return "parent_of" if outward else "child_of"
        if folded in _DUPLICATES:
            return _duplicate(phrase.casefold(), outward=outward)
        return _blocking(folded, phrase.casefold())


_OPPOSITE = {
    "blocks": "blocked_by", "blocked_by": "blocks", "duplicates": "duplicated_by",
    "duplicated_by": "duplicates", "parent_of": "child_of", "child_of": "parent_of",
}  # fmt: skip


def _duplicate(phrase: str, *, outward: bool) -> str:
    """The copy duplicates the original: "is a clone of", "clones" and "duplicates" are said by the copy."""
    if "duplicated by" in phrase or "cloned" in phrase:
        return "duplicated_by"
    if phrase.startswith(("duplicates", "clones", "is a clone of", "is a duplicate of")):
        return "duplicates"
    return "duplicates" if outward else "duplicated_by"


def _blocking(kind: str, phrase: str) -> str:
    if not any(word in kind for word in ("block", "depend", "require")):
        return "relates_to"
    if phrase.startswith(("blocks", "is depended", "is required")):
        return "blocks"
    if phrase.startswith(("is blocked", "depends", "requires", "is dependent")):
        return "blocked_by"
    return "relates_to"


def slug(name: str, joiner: str = "_") -> str:
    """Return a name as a slug: `Patch Available` → `patch_available`; one in another script by its hash."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    parts = re.findall(r"[a-z0-9]+", plain)
    return joiner.join(parts)[:50].strip(joiner) or f"other{joiner}{sha256(name.encode()).hexdigest()[:8]}"


def read_rules(path: Path | None) -> Rules:
    """Read a mapping file. Raises Unreadable naming what is wrong in it."""
    if path is None:
        return Rules()
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as failure:
        raise _fault(path, "", f"cannot be read ({failure.strerror})") from failure
    except (ValueError, RecursionError) as failure:
        raise _fault(path, "", f"is no JSON: {failure}") from failure
    return rules_of(path, content)


def rules_of(path: Path, content: Any) -> Rules:
    """Return the rules of a mapping that came as JSON; `path` names it in messages. Raises Unreadable."""
    if not isinstance(content, dict):
        raise _fault(path, "", "must be an object")
    for name in content.keys() - _MEMBERS.keys():
        raise _fault(path, name, f"is unknown; known are {', '.join(_MEMBERS)}")
    return _rules(path, content)


_MEMBERS: dict[str, tuple[str, ...] | None] = {
    "source": None, "taken_numbers": ("error", "new"), "statuses": CATEGORIES, "types": _TYPES,
    "priorities": _PRIORITIES, "resolutions": None, "links": _LINKS,
    "fields": _FIELD_TARGETS, "people": None, "projects": None,
}  # fmt: skip


def _rules(path: Path, content: dict[str, Any]) -> Rules:
    def table(name: str) -> dict[str, str]:
        return _table(path, name, content.get(name, {}), _MEMBERS[name])

    source = content.get("source", "")
    taken = content.get("taken_numbers", "error")
    if not isinstance(source, str) or len(source) > 190:
        raise _fault(path, "source", "must be a text of at most 190 characters")
    if taken not in {"error", "new"}:
        raise _fault(path, "taken_numbers", "must be `error` or `new`")
    projects = {key.upper(): wanted for key, wanted in table("projects").items()}
    if wrong := next((key for key in projects.values() if not PROJECT_KEY.fullmatch(key)), None):
        raise _fault(path, "projects", f"{wrong!r} is no project key")
    return Rules(
        source=source, statuses=table("statuses"), types=table("types"), priorities=table("priorities"),
        resolutions=table("resolutions"), links=table("links"), fields=table("fields"),
        people=table("people"), projects=projects, has_new_numbers=taken == "new",
    )  # fmt: skip


PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9]{1,19}")


def _table(path: Path, name: str, content: Any, allowed: tuple[str, ...] | None) -> dict[str, str]:
    if not isinstance(content, dict):
        raise _fault(path, name, "must be an object of names and words")
    table: dict[str, str] = {}
    for key, word in content.items():
        word = "" if word is None else word
        if not isinstance(word, str):
            raise _fault(path, f"{name}.{key}", "must be a text or null")
        if allowed is not None and word not in allowed:
            raise _fault(path, f"{name}.{key}", f"{word!r} is none of {', '.join(filter(None, allowed))}")
        table[key.casefold()] = word
    return table


def _fault(path: Path, where: str, message: str) -> Unreadable:
    return Unreadable(Problem(path.name, "", where, message))
