"""`If-Match`, `If-None-Match` and `version` in the body: which version the caller has in hand."""

import re
from dataclasses import dataclass
from typing import Final

from tracker.errors import Invalid

_TAG: Final = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}|0")
IF_MATCH_PATTERN: Final = r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'
NEVER: Final = -1
"""A version that no object has: a well-formed tag which is none of ours."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The version that a change expects, and whether `If-Match` said so."""

    version: int | None = None
    from_if_match: bool = False


def parse_if_match(header: str) -> list[int] | None:
    """Return the versions of an `If-Match`; None for `*`. Raises Invalid for what is no list of tags."""
    if header.strip() == "*":
        return None
    tags = _tags(header)
    if not tags:
        raise Invalid(
            'If-Match must be "7", a list of such tags, or *.', fields={"If-Match": ["Not an entity tag."]}
        )
    return [int(tag) if _VERSION.fullmatch(tag) else NEVER for tag in tags]


def expected(*, if_match: str | None, body_version: int | None, current: int | None) -> Expected:
    """Return what to hand to the service: the version that mismatches, where one does.

    Of a list of tags the one that is current counts; both header and body must hold where both are sent.
    """
    versions = parse_if_match(if_match) if if_match is not None else None
    if versions is None:
        return Expected(body_version)
    version = current if current in versions else versions[0]
    if version == current and body_version is not None and body_version != current:
        return Expected(body_version)
    return Expected(version, from_if_match=True)


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the reader has this state already; weak and strong tags are the same here."""
    if if_none_match.strip() == "*":
        return True
    return etag in _tags(if_none_match)


def quote(version: int | str) -> str:
    """Return the tag of a version."""
    return f'"{version}"'


def _tags(header: str) -> list[str]:
    tags: list[str] = []
    position = 0
    while position < len(header):
        found = _TAG.match(header, position)
        if found is None:
            return []
        tags.append(found[1])
        position = found.end()
        if position < len(header):
            if header[position] != ",":
                return []
            position += 1
    return tags if not header.rstrip().endswith(",") else []
