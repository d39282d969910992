"""Files of Jira → checked records on disk. The database is asked only by what the caller gives along."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from issues.services.migration_records import PersonRecord, ProjectRecord
from transfer.jira.links import Family, decide
from transfer.jira.mapping import IssueMapper
from transfer.jira.reader import JiraFile, RawIssue
from transfer.jira.rules import Rules
from transfer.jira.survey import Survey, survey_files
from transfer.report import FieldProblem, Problem, Report, Unreadable
from transfer.spool import Spool


@dataclass(frozen=True, slots=True)
class Known:
    """Issues that an earlier run brought, by their keys here, and the keys of those issues' parents."""

    keys: frozenset[str] = frozenset()
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is ready to be written."""

    source: str
    projects: list[ProjectRecord]
    people: list[PersonRecord]
    failed: int


Look = Callable[[str, frozenset[str]], Known]


def nothing_known(_source: str, _keys: frozenset[str]) -> Known:
    """Answer that no issue was imported before."""
    return Known()


def prepare(
    paths: Iterable[Path],
    *,
    rules: Rules,
    report: Report,
    spool: Spool,
    lenient: bool,
    look: Look = nothing_known,
) -> Prepared:
    """Check all files and spool what can be imported.

    `look(source, keys)` tells which issues that links name, and the files do not hold, are here already.
    Every refusal is in `report.problems`; the caller decides, by strict or lenient, whether to go on.
    """
    files = [JiraFile(path) for path in paths]
    survey = survey_files(files, rules, report, lenient=lenient)
    family = _decide(survey, report, look)
    mapper = IssueMapper(survey, family, report)
    failed = _map_all(files, survey, mapper, report, spool, lenient=lenient)
    people = [
        replace(person, email=rules.people.get(person.key) or person.email)
        for person in survey.people.values()
    ]
    return Prepared(survey.source, [draft.record() for draft in mapper.projects.values()], people, failed)


def _decide(survey: Survey, report: Report, look: Look) -> Family:
    named = {key for link in survey.links for key in link[1:]} - survey.keys.keys()
    by_key = {survey.product_key(key): key for key in named}
    known = look(survey.source, frozenset(by_key))
    survey.outside |= {by_key.get(key, key) for key in known.keys}
    parents = {
        by_key.get(child, child): by_key.get(parent, parent) for child, parent in known.parents.items()
    }
    return decide(survey.links, keys=survey.keys, outside=survey.outside, parents=parents, report=report)


def _map_all(
    files: list[JiraFile], survey: Survey, mapper: IssueMapper, report: Report, spool: Spool, *, lenient: bool
) -> int:
    """Map every issue; return how many were refused. A file that broke in the survey breaks here again."""
    failed = 0
    for file in files:
        try:
            for raw in file.issues():
                if (raw.file, raw.index) not in survey.repeated:
                    failed += not _map_one(raw, mapper, report, spool)
        except Unreadable:
            if not lenient:
                break
    return failed


def _map_one(raw: RawIssue, mapper: IssueMapper, report: Report, spool: Spool) -> bool:
    if raw.problem is not None:
        report.problem(raw.problem)
        return False
    try:
        record = mapper.map(raw)
        mapper.refuse_faulty(raw)
    except FieldProblem as fault:
        report.problem(Problem(raw.file, raw.title, fault.field, fault.message))
        return False
    spool.add(record, level=mapper.level(raw))
    return True
