"""Run beside a served product: makes the people and projects that the browser tests begin with."""

import django

django.setup()

from accounts.models import Role  # noqa: E402  after the set-up
from issues.services.labels import create_label  # noqa: E402
from tests.make import caller, make_issue, make_project, make_user  # noqa: E402

admin = make_user(Role.ADMIN, email="admin@example.org", name="Ada Admin")
maintainer = make_user(Role.MAINTAINER, email="maintainer@example.org", name="Mia Maintainer")
make_user(Role.DEVELOPER, email="developer@example.org", name="Dev Developer")
make_user(Role.REPORTER, email="reporter@example.org", name="Rita Reporter")
project = make_project("API", by=admin, name="Public API", description="The *public* interface.")
for name, color in (("regression", "#ef4444"), ("docs", "#3b82f6")):
    create_label(project.pk, by=caller(admin), name=name, color=color)
for number in range(60):
    make_issue(
        project,
        by=maintainer,
        title=f"Issue number {number}",
        description="Some **text**, `code`\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        priority=("none", "low", "high", "urgent")[number % 4],
        labels=["docs"] if number % 3 == 0 else [],
    )
