"""What the values of a filter name: people, projects, statuses …, looked up inside what the reader sees.

A finder takes the values of one filter and returns those that name something, each with the keys to compare
with and the text for people. What it leaves out names nothing.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Q

from accounts.models import User, fold_email
from accounts.people import people
from issues.catalog import Catalog, NameInfo
from issues.models import PRIORITY_WORDS, SEVERITY_WORDS, Issue, Priority
from issues.query.asking import Asking
from issues.query.ast import Value
from issues.refs import is_key, parse_uuid
from tracker.versions import versions_of

Named = dict[Value, tuple[list[Any], str]]
Finder = Callable[[Sequence[Value], Asking], Named]

SEED_PRIORITIES: Final[Mapping[str, Priority]] = {
    "0": Priority.NONE,
    "1": Priority.HIGH,
    "2": Priority.MEDIUM,
    "3": Priority.LOW,
}


def one_of(words: Mapping[str, Any]) -> Finder:
    """Return the finder of a closed set of words."""

    def find(values: Sequence[Value], _: Asking) -> Named:
        return {
            value: ([words[value.text.lower()]], value.text.lower())
            for value in values
            if value.text.lower() in words
        }

    return find


def find_projects(values: Sequence[Value], at: Asking) -> Named:
    """Find visible projects by key or id."""
    named: Named = {}
    for value in values:
        info = at.catalog.project_by_key(value.text) or at.catalog.projects.get(_id(value))
        if info is not None and at.scope.sees_project(info.id):
            named[value] = ([info.id], info.key)
    return named


def find_statuses(values: Sequence[Value], at: Asking) -> Named:
    """Find the statuses of a slug in visible projects; its ids are those within the projects asked for."""
    named: Named = {}
    for value in values:
        slug = value.text.lower()
        same = [
            status
            for status in at.catalog.statuses.values()
            if status.slug == slug and at.scope.sees_project(status.project_id)
        ]
        if same:
            named[value] = (
                [status.id for status in same if status.project_id in at.project_ids],
                same[0].name,
            )
    return named


def statuses_by_category(categories: frozenset[str], at: Asking) -> list[uuid.UUID]:
    """Return the ids of the statuses of these categories within the projects asked for."""
    return [
        status.id
        for status in at.catalog.statuses.values()
        if status.category in categories and status.project_id in at.project_ids
    ]


def in_projects(names: Callable[[Catalog], dict[uuid.UUID, NameInfo]]) -> Finder:
    """Return the finder of labels, milestones or cycles of visible projects, by id or by name."""

    def find(values: Sequence[Value], at: Asking) -> Named:
        by_name: dict[str, list[NameInfo]] = {}
        for info in names(at.catalog).values():
            if info.project_id is not None and at.scope.sees_project(info.project_id):
                by_name.setdefault(info.name.casefold(), []).append(info)
        named: Named = {}
        for value in values:
            same = by_name.get(value.text.casefold(), [])
            by_id = names(at.catalog).get(_id(value))
            if by_id is not None and by_id.project_id is not None and at.scope.sees_project(by_id.project_id):
                same = [*same, by_id]
            if same:
                named[value] = ([info.id for info in same if info.project_id in at.project_ids], same[0].name)
        return named

    return find


def find_teams(values: Sequence[Value], at: Asking) -> Named:
    """Find one's own teams and those of visible projects, by id or by name."""
    visible = set(at.scope.rights.team_ids)
    for project_id in at.scope.project_ids:
        visible |= at.catalog.projects[project_id].team_ids
    by_name = {at.catalog.teams[key].name.casefold(): key for key in visible if key in at.catalog.teams}
    named: Named = {}
    for value in values:
        key = by_name.get(value.text.casefold()) or _id(value)
        if key in visible and key in at.catalog.teams:
            named[value] = ([key], at.catalog.teams[key].name)
    return named


def find_people(values: Sequence[Value], at: Asking) -> Named:
    """Find accounts by id, address or `me`, also those that are no longer active.

    No query for oneself and for ids of people whose names are in memory; one for new ids, one for addresses.
    """
    named: Named = {value: ([at.user.pk], at.user.name) for value in values if _is_me(value)}
    ids = {value: key for value in values if (key := parse_uuid(value.text)) is not None}
    rows = people(ids.values(), versions=versions_of(at.user)) if ids else {}
    named |= {value: ([key], rows[key]["name"]) for value, key in ids.items() if key in rows}
    addresses = {value: fold_email(value.text) for value in values if "@" in value.text}
    if not at.scope.may("see_all_issues"):  # a list of addresses is no way to find out who has an account
        addresses = {value: email for value, email in addresses.items() if email == at.user.email}
    if addresses:
        found = User.objects.filter(email__in=set(addresses.values())).values_list("email", "pk", "name")
        by_address = {email: ([key], name) for email, key, name in found}
        named |= {value: by_address[email] for value, email in addresses.items() if email in by_address}
    return named


def find_issues(values: Sequence[Value], at: Asking) -> Named:
    """Find visible issues by id or key, in one query."""
    ids = {value: key for value in values if (key := parse_uuid(value.text)) is not None}
    keys = {value: _number(value, at) for value in values if is_key(value.text)}
    condition = Q(pk__in=ids.values())
    for place in keys.values():
        if place is not None:
            condition |= Q(project_id=place[0], number=place[1])
    if not ids and not any(keys.values()):
        return {}
    rows = Issue.objects.visible_to(at.user).filter(condition).values_list("pk", "project_id", "number")
    by_id = {row[0]: row for row in rows}
    by_place = {(row[1], row[2]): row for row in by_id.values()}
    named: Named = {}
    for value in values:
        row = by_id.get(ids[value]) if value in ids else by_place.get(keys.get(value) or (_NO_ID, 0))
        if row is not None:
            named[value] = ([row[0]], f"{at.catalog.projects[row[1]].key}-{row[2]}")
    return named


def find_text(values: Sequence[Value], _: Asking) -> Named:
    """Take a text as it is: it need not name anything."""
    return {value: ([value.text], value.text) for value in values}


find_severities: Final = one_of(SEVERITY_WORDS)
find_priorities: Final = one_of({**PRIORITY_WORDS, **SEED_PRIORITIES})

_NO_ID: Final = uuid.UUID(int=0)


def _id(value: Value) -> uuid.UUID:
    return parse_uuid(value.text) or _NO_ID


def _is_me(value: Value) -> bool:
    return value.text.lower() == "me" and not value.is_literal


def _number(value: Value, at: Asking) -> tuple[uuid.UUID, int] | None:
    key, _, number = value.text.rpartition("-")
    project = at.catalog.project_by_key(key)
    return (project.id, int(number)) if project and at.scope.sees_project(project.id) else None
