"""The first reading of the files: what has to be known of all issues before one can be mapped."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from issues.services.migration_records import PersonRecord
from transfer.jira import values
from transfer.jira.links import links_of
from transfer.jira.reader import JiraFile, RawIssue
from transfer.jira.rules import Rules
from transfer.report import FieldProblem, Problem, Report, Unreadable

ANONYMOUS = PersonRecord("anonymous", "Anonymous")
ESTIMATE_NAMES = frozenset({"story points", "story point estimate"})


@dataclass(slots=True)
class Survey:
    """What the files say together. Grows with the number of keys and names, not with the texts."""

    rules: Rules
    hosts: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    people: dict[str, PersonRecord] = field(default_factory=dict)
    people_aliases: dict[str, str] = field(default_factory=dict)
    project_names: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    with_status: Counter[str] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)
    version_names: dict[str, str] = field(default_factory=dict)
    component_names: dict[str, str] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    links: dict[tuple[str, str, str], None] = field(default_factory=dict)
    faults: dict[tuple[str, int], FieldProblem] = field(default_factory=dict)
    repeated: set[tuple[str, int]] = field(default_factory=set)
    sprint_fields: set[str] = field(default_factory=set)

    @property
    def source(self) -> str:
        """The name of the system that the files come from: `jira:` and its host."""
        if self.rules.source:
            return self.rules.source
        host = self.hosts.most_common(1)[0][0] if self.hosts else "unknown"
        return f"jira:{host}"[:200]

    def knows(self, key: str) -> bool:
        """Tell whether an issue of this key is in the files, or was imported from the same source before."""
        return key in self.keys or key in self.outside

    def product_key(self, key: str) -> str:
        """Return the key that an issue has here, which differs where the mapping file renames its project."""
        project, _, number = key.rpartition("-")
        return f"{self.rules.projects.get(project, project)}-{number}"

    def person_key(self, written: str) -> str:
        """Return the key of a person that a history entry or mention names."""
        folded = written.strip().casefold()[:200]
        return self.people_aliases.get(folded, folded)

    def add_person(self, found: PersonRecord | None) -> str | None:
        """Remember a person and return the key."""
        if found is None:
            return None
        known = self.people.get(found.key)
        if (
            known is None
            or (known.email is None and found.email)
            or (known.name.casefold() == known.key != found.name)
        ):
            self.people[found.key] = found
        return found.key

    def target_of(self, field_id: str) -> str | None:
        """Return what a custom field becomes, by the mapping file, else by its name or values."""
        name = self.names.get(field_id, "").casefold()
        for asked in (field_id.casefold(), name):
            if asked and asked in self.rules.fields:
                return self.rules.fields[asked] or None
        if name in ESTIMATE_NAMES:
            return "estimate"
        if name == "sprint" or field_id in self.sprint_fields:
            return "cycle"
        return None


def survey_files(files: Iterable[JiraFile], rules: Rules, report: Report, *, lenient: bool) -> Survey:
    """Read all files once. Broken files are reported; strict, nothing is read after one."""
    survey = Survey(rules)
    for file in files:
        try:
            for raw in file.issues():
                if raw.problem is None:
                    _add_issue(survey, raw, report)
        except Unreadable as fault:
            report.problem(fault.problem)
            if not lenient:
                break
        survey.names.update(file.names)
    return survey


def _add_issue(survey: Survey, raw: RawIssue, report: Report) -> None:
    """Take what others need of one issue. What is broken in it is kept for the time when it is mapped."""
    try:
        key = values.text(raw.value, "key")
        external_id = values.identifier(raw.value, "id") or key
        values.split_key(key)
        if _is_repeated(survey, raw, key, external_id, report):
            return
        survey.ids[external_id] = key
        survey.keys[key] = external_id
        survey.links.update(dict.fromkeys(links_of(survey.rules, key, values.members(raw.value, "fields"))))
        _add_host(survey, values.text(raw.value, "self"))
        _add_names(survey, key, values.members(raw.value, "fields"))
        _add_history_people(survey, raw.value)
    except FieldProblem as fault:
        survey.faults[raw.file, raw.index] = fault


def _is_repeated(survey: Survey, raw: RawIssue, key: str, external_id: str, report: Report) -> bool:
    """Pages of a search may overlap: the same issue again is skipped, another one of its key is an error."""
    if external_id not in survey.ids and key not in survey.keys:
        return False
    survey.repeated.add((raw.file, raw.index))
    if survey.ids.get(external_id) == key:
        report.note("Issues that are in the files twice (the first counts)", key)
    else:
        other = survey.ids.get(external_id) or f"id {survey.keys[key]}"
        report.problem(Problem(raw.file, raw.title, "id", f"{external_id} is also that of {other}"))
    return True


def _add_host(survey: Survey, address: str) -> None:
    host = urlsplit(address).netloc.rpartition("@")[2] if address.startswith(("http://", "https://")) else ""
    if host:
        survey.hosts[host.casefold()[:150]] += 1


def _add_names(survey: Survey, key: str, fields: dict[str, Any]) -> None:
    project = values.members(fields, "project")
    survey.project_names.setdefault(key.rpartition("-")[0], values.text(project, "name").strip())
    status = values.members(fields, "status")
    category = values.text(values.members(status, "statusCategory"), "key")
    if name := values.text(status, "name").strip():
        if category:
            survey.categories.setdefault(name.casefold(), category)
        survey.with_status[name.casefold()] += 1
        survey.resolved[name.casefold()] += bool(fields.get("resolution"))
        survey.statuses.setdefault(values.identifier(status, "id") or name.casefold(), status)
    for known, name in ((survey.version_names, "fixVersions"), (survey.component_names, "components")):
        for entry in values.entries(fields, name):
            if isinstance(entry, dict) and (entry_id := values.identifier(entry, "id")):
                known[entry_id] = values.text(entry, "name").strip()
    for name in ("reporter", "creator", "assignee"):
        _add_aliases(survey, fields.get(name))
        survey.add_person(values.person(fields, name))
    for field_id, value in fields.items():
        if field_id.startswith("customfield_") and isinstance(value, list) and value and _is_sprint(value[0]):
            survey.sprint_fields.add(field_id)


def _is_sprint(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("com.atlassian.greenhopper.service.sprint.Sprint@")


def _add_aliases(survey: Survey, value: Any) -> None:
    """History names people by `key` where fields name them by `name`."""
    if not isinstance(value, dict):
        return
    main = value.get("accountId") or value.get("name") or value.get("key")
    other = value.get("key")
    if isinstance(main, str) and isinstance(other, str) and main.casefold() != other.casefold():
        survey.people_aliases.setdefault(other.casefold()[:200], main.casefold()[:200])


def _add_history_people(survey: Survey, issue: dict[str, Any]) -> None:
    for entry in values.entries(values.members(issue, "changelog"), "histories"):
        if not isinstance(entry, dict):
            continue
        _add_aliases(survey, entry.get("author"))
        survey.add_person(values.person(entry, "author"))
        for item in values.entries(entry, "items"):
            if isinstance(item, dict) and item.get("field") in {"assignee", "reporter"}:
                _add_named(survey, item)
    comments = values.entries(values.members(values.members(issue, "fields"), "comment"), "comments")
    for comment in comments:
        if isinstance(comment, dict):
            _add_aliases(survey, comment.get("author"))
            survey.add_person(values.person(comment, "author"))


def _add_named(survey: Survey, item: dict[str, Any]) -> None:
    """A person who is only in the history has a key and a displayed name there."""
    for key_name, shown_name in (("from", "fromString"), ("to", "toString")):
        key, shown = item.get(key_name), item.get(shown_name)
        if isinstance(key, str) and key.strip():
            name = shown if isinstance(shown, str) and shown.strip() else key
            folded = survey.person_key(key)
            survey.people.setdefault(folded, PersonRecord(folded, name.strip()[:100]))
