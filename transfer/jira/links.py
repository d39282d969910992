"""Jira's links and sub-tasks: who is whose parent, who blocks, duplicates or relates to whom.

Every link is told by both of its issues; it is taken as (what, source, target), the same from both sides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from issues.services.migration_records import RelationRecord
from transfer.jira import values
from transfer.jira.rules import Rules
from transfer.report import Report

DEEPEST = 8
_MOST_STEPS = 2000
_TURNED = {"blocked_by": "blocks", "duplicated_by": "duplicates", "child_of": "parent_of"}

Link = tuple[str, str, str]


def links_of(rules: Rules, key: str, fields: dict[str, Any]) -> Iterator[Link]:
    """Yield the links of an issue, each with one of these words: `parent_of` (sub-tasks), `contains` (parents
    by a link), `blocks`, `duplicates`, `relates_to`.

    Raises FieldProblem where they are not what they should be.
    """
    parent = values.text(values.members(fields, "parent"), "key", "parent.key")
    if parent:
        yield "parent_of", parent, key
    for index, child in enumerate(values.entries(fields, "subtasks")):
        inner = values.members({"child": child}, "child", f"subtasks[{index}]")
        if child_key := values.text(inner, "key", f"subtasks[{index}].key"):
            yield "parent_of", key, child_key
    for index, link in enumerate(values.entries(fields, "issuelinks")):
        inner = values.members({"link": link}, "link", f"issuelinks[{index}]")
        yield from _link(rules, key, inner, f"issuelinks[{index}]")


def _link(rules: Rules, key: str, link: dict[str, Any], path: str) -> Iterator[Link]:
    kind = values.members(link, "type", f"{path}.type")
    for member, phrase_name in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
        other = values.text(values.members(link, member, f"{path}.{member}"), "key", f"{path}.{member}.key")
        if not other:
            continue
        outward = member == "outwardIssue"
        phrase = values.text(kind, phrase_name, f"{path}.type.{phrase_name}")
        word = rules.link_of(values.text(kind, "name", f"{path}.type.name"), phrase, outward=outward)
        if word:
            yield _directed(word, key, other, outward=outward)


def _directed(word: str, key: str, other: str, *, outward: bool) -> Link:
    if word == "relates_to":
        return (word, key, other) if outward else (word, other, key)
    turned = word in _TURNED
    word = _TURNED.get(word, word)
    word = "contains" if word == "parent_of" else word
    return (word, other, key) if turned else (word, key, other)


@dataclass(slots=True)
class Family:
    """What was decided of all links: parents by key of the child, relations by one of their issues."""

    parents: dict[str, str] = field(default_factory=dict)
    relations: dict[str, list[RelationRecord]] = field(default_factory=lambda: defaultdict(list))
    _heights: dict[str, int] = field(default_factory=dict)
    _edges: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    _related: set[tuple[str, str, str]] = field(default_factory=set)

    def adopt(self, parent: str, child: str) -> bool:
        """Make one the parent of the other where that is free, no circle and not too deep."""
        if child in self.parents:
            return self.parents[child] == parent
        above = [parent]
        while (upper := self.parents.get(above[-1])) and len(above) <= DEEPEST:
            above.append(upper)
        height = self._heights.get(child, 1)
        if child in above or len(above) + height > DEEPEST:
            return False
        self.parents[child] = parent
        for level, ancestor in enumerate(above, 1):
            self._heights[ancestor] = max(self._heights.get(ancestor, 1), height + level)
        return True

    def level(self, key: str) -> int:
        """Return how many parents are above an issue."""
        above = 0
        while (upper := self.parents.get(key)) and above < DEEPEST:
            key, above = upper, above + 1
        return above

    def relate(self, word: str, source: str, target: str, holder: str) -> None:
        """Keep a relation once, whichever side tells it; what would close a circle gets the looser word."""
        if source == target:
            return
        if word != "relates_to" and self._reaches(word, target, source):
            word = "relates_to"
        same = {(word, source, target)} | ({(word, target, source)} if word == "relates_to" else set())
        if same & self._related:
            return
        self._related.add((word, source, target))
        self._edges[word, source].add(target)
        self.relations[holder].append(RelationRecord(word, source, target))

    def _reaches(self, word: str, start: str, goal: str) -> bool:
        seen, waiting = {start}, [start]
        while waiting and len(seen) < _MOST_STEPS:
            key = waiting.pop()
            if key == goal:
                return True
            following = self._edges.get((word, key), set()) - seen
            seen |= following
            waiting += following
        return False


def decide(
    links: Collection[Link],
    *,
    keys: Mapping[str, str],
    outside: Collection[str],
    parents: Mapping[str, str],
    report: Report,
) -> Family:
    """Decide all links in order: sub-tasks have their parent first, then the links that contain.

    `outside`: issues that an earlier run brought; `parents`: those that they have. Links to any other issue
    are reported.
    """
    family = Family(parents={child: parent for child, parent in parents.items() if child not in keys})
    known = []
    for link in links:
        missing = next((key for key in link[1:] if key not in keys and key not in outside), None)
        if missing is None and (link[1] in keys or link[2] in keys):
            known.append(link)
        elif missing is not None:
            report.note("Links to issues that are not in the files", _shown(link))
    for wanted in ("parent_of", "contains"):
        for word, source, target in known:
            if word == wanted and not (target in keys and family.adopt(source, target)):
                report.note("Parents that are not free (now relations)", f"{source} {word} {target}")
                family.relate("relates_to", source, target, source if source in keys else target)
    for word, source, target in known:
        if word not in {"parent_of", "contains"}:
            family.relate(word, source, target, source if source in keys else target)
    return family


def _shown(link: Link) -> str:
    word, source, target = link
    return f"{source} {word.replace('_', ' ')} {target}"
