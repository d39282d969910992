"""State for tests, made through the services as everybody makes it."""

import hashlib
from itertools import count
from typing import Any

from accounts.models import Role, User
from accounts.services.users import create_user
from issues.models import Attachment, Comment, Issue, Project
from issues.services.attachments import add_attachment
from issues.services.comments import add_comment
from issues.services.issues import create_issue
from issues.services.projects import create_project
from tracker.caller import Caller, Source
from tracker.durable import drive, kind_of
from tracker.files.uploads import Upload
from transfer.models import Import
from transfer.services.imports import begin_import

PASSWORD = "a-long-enough-password-7"
_numbers = count(1)


def make_user(role: str = Role.REPORTER, **fields: Any) -> User:
    """Make an account with the password `PASSWORD`."""
    number = next(_numbers)
    fields = {
        "email": f"{role}{number}@example.org",
        "name": f"{role.title()} {number}",
        "password": PASSWORD,
    } | fields
    return fresh(create_user(by=None, role=role, **fields))


def fresh(user: User) -> User:
    """Return the account as the next request would read it."""
    found: User = User.objects.get(pk=user.pk)
    return found


def caller(user: User, source: Source = "api") -> Caller:
    """Return this person as a caller, read anew, as each request does."""
    return Caller(user=fresh(user), source=source)


def make_project(key: str = "", *, by: User | None = None, **fields: Any) -> Project:
    """Make a project; `by` is an admin made for it unless given. Default: preset `triage`, internal."""
    key = key or f"P{next(_numbers)}"
    by = by or make_user(Role.ADMIN)
    return create_project(
        by=caller(by), **({"key": key, "name": f"Project {key}", "preset": "triage"} | fields)
    )


def make_issue(project: Project, *, by: User, **fields: Any) -> Issue:
    """File an issue as `by`."""
    return create_issue(project.pk, by=caller(by), fields={"title": "Something is wrong"} | fields)


def make_comment(issue: Issue, *, by: User, body: str = "I can confirm this.", **fields: Any) -> Comment:
    """Comment on an issue as `by`."""
    return add_comment(issue.pk, by=caller(by), body=body, **fields)


def make_import(
    *, by: User, project: Project | None, content: bytes = b"key,title\nAPI-1,Imported\n", **options: Any
) -> Import:
    """Import a table as `by`, to the end."""
    settled: dict[str, Any] = {"format": "csv", "mode": "strict", "dry_run": False, "mapping": {}} | options
    project_id = project.pk if project else None
    run = begin_import(
        by=caller(by), project_id=project_id, filename="issues.csv", chunks=[content], **settled
    )
    drive(kind_of(Import), run.pk)
    return Import.objects.get(pk=run.pk)


def make_upload(content: bytes = b"What the log says.", name: str = "log.txt") -> Upload:
    """Make an upload as it is when all of it has arrived."""
    upload = Upload(name)
    upload.write(content)
    upload.seek(0)
    upload.size, upload.sha256 = len(content), hashlib.sha256(content).hexdigest()
    return upload


def make_attachment(
    issue: Issue, *, by: User, content: bytes = b"What the log says.", name: str = "log.txt"
) -> Attachment:
    """Attach a file to an issue as `by`."""
    with make_upload(content, name) as upload:
        return add_attachment(issue.pk, by=caller(by), upload=upload)
