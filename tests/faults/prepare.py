"""Run in the product's environment: make a maintainer and a project through the services, and print a token.

The token's lifetime is what `ACCESS_TOKEN_MINUTES` says.
"""

import json
import sys

import django

django.setup()

from accounts.models import Role  # noqa: E402  settings first
from accounts.services.sessions import start_family  # noqa: E402
from tests.make import make_project, make_user  # noqa: E402

admin, maintainer = make_user(Role.ADMIN), make_user(Role.MAINTAINER)
project = make_project("FAULT", by=admin)
json.dump(
    {
        "admin": start_family(admin).access,
        "maintainer": start_family(maintainer).access,
        "project_id": str(project.pk),
    },
    sys.stdout,
)
