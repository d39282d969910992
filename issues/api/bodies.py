"""What may be sent about issues and comments: shapes and types. What is named is for the services to find."""

from typing import Any, ClassVar

from issues.models import PRIORITY_WORDS, SEVERITY_WORDS, IssueType
from tracker.api.bodies import Body
from tracker.api.fields import Amount, Choice, Day, Flag, Ref, StrictField, Text, UploadedFile, Whole

MAX_LABELS = 50
MAX_TEXT_BYTES = 64 * 1024


class PriorityField(StrictField):
    """A priority as a word, or as a number: 0 none, 1 high, 2 medium, 3 low."""

    _spectacular_annotation: ClassVar[dict[str, Any]] = {"field": {"enum": [*PRIORITY_WORDS, 0, 1, 2, 3]}}

    def read(self, data: Any) -> str | int:
        """Return the word or the number."""
        is_number = isinstance(data, int) and not isinstance(data, bool) and data in range(4)
        if is_number or (isinstance(data, str) and data in PRIORITY_WORDS):
            return data  # type: ignore[no-any-return]  # one of the two
        raise ValueError(f"Must be one of: {', '.join(PRIORITY_WORDS)}.")


class LabelsField(StrictField):
    """The whole list of an issue's labels, each as its name or as it is read."""

    _one = Ref("name", max_length=100)
    _spectacular_annotation: ClassVar[dict[str, Any]] = {
        "field": {
            "type": "array",
            "maxItems": MAX_LABELS,
            "items": _one._spectacular_annotation["field"],
        }
    }

    def read(self, data: Any) -> list[str]:
        """Return the names."""
        if not isinstance(data, list):
            raise ValueError("Must be a list of names.")  # noqa: TRY004  what `StrictField` turns into a 400
        if len(data) > MAX_LABELS:
            raise ValueError(f"At most {MAX_LABELS} labels.")
        return [self._one.read(item) for item in data]


class IssueBody(Body):
    """The fields of an issue that people set, and the version that they have seen."""

    ignored: ClassVar[frozenset[str]] = frozenset({"comments", "history", "relations", "attachments"})

    title = Text(min_length=1, max_length=255)
    description = Text(max_bytes=MAX_TEXT_BYTES, trim=False, required=False, allow_null=True)
    type = Choice(IssueType.values, required=False)
    status = Ref("slug", max_length=50, required=False)
    severity = Choice(tuple(SEVERITY_WORDS), required=False)
    priority = PriorityField(required=False)
    assignee = Ref("id", "email", required=False, allow_null=True)
    labels = LabelsField(required=False)
    milestone = Ref("id", "name", required=False, allow_null=True)
    cycle = Ref("id", "name", required=False, allow_null=True)
    parent = Ref("id", "key", required=False, allow_null=True)  # type: ignore[assignment]  # a field, not `Field.parent`
    team = Ref("id", required=False, allow_null=True)
    estimate = Amount(minimum=0, maximum=10_000, required=False, allow_null=True)
    due_date = Day(required=False, allow_null=True)
    department = Text(max_length=100, required=False, allow_null=True)
    version = Whole(minimum=0, required=False, allow_null=True)
    project = Ref("key", max_length=20)
    reporter = Ref("id", "email", required=False, allow_null=True)


class NewIssueBody(IssueBody):
    """The same for a new issue: the project may be left out where the instance names one."""

    project = Ref("key", max_length=20, required=False)


class VersionBody(Body):
    """The version that the caller has seen, where `If-Match` does not say it."""

    version = Whole(minimum=0, required=False, allow_null=True)


class TransitionBody(Body):
    """A step of the workflow, with a comment and the fields that it requires."""

    to = Ref("slug", max_length=50)
    comment = Text(max_bytes=MAX_TEXT_BYTES, trim=False, required=False, allow_null=True)
    version = Whole(minimum=0, required=False, allow_null=True)


class CommentBody(Body):
    """A comment. `parent` and `internal` are fixed when it is written."""

    ignored: ClassVar[frozenset[str]] = frozenset({"issue", "author", "deleted", "reactions"})

    body = Text(min_length=1, max_bytes=MAX_TEXT_BYTES, trim=False)
    parent = Ref("id", required=False, allow_null=True)  # type: ignore[assignment]  # see above
    internal = Flag(required=False)


class AttachmentForm(Body):
    """A form with one file."""

    file = UploadedFile()


class AttachmentBody(Body):
    """The name of an attachment; all else is found from the file."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "issue", "size_bytes", "content_type", "sha256", "state", "author", "content_url",
            "thumbnail_url",
        }
    )  # fmt: skip

    filename = Text(min_length=1, max_length=255)
