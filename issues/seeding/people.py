"""The people and teams of the sample data. The first four are the accounts that one signs in with."""

from dataclasses import dataclass
from typing import Final

from accounts.models import Role

PASSWORD: Final = "password"  # noqa: S105  documented, and refused in production


@dataclass(frozen=True, slots=True)
class Person:
    """An account; only those with a password can sign in."""

    email: str
    name: str
    role: Role
    time_zone: str = "UTC"
    has_password: bool = False


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """A team; its lead makes it."""

    name: str
    description: str
    lead: str
    members: tuple[str, ...]


ADMIN: Final = Person("admin@example.com", "Alice Novak", Role.ADMIN, "Europe/Prague", has_password=True)
MAINTAINER: Final = "maintainer@example.com"
DEVELOPER: Final = "developer@example.com"
REPORTER: Final = "reporter@example.com"

PEOPLE: Final = (
    ADMIN,
    Person(MAINTAINER, "Marcus Lindqvist", Role.MAINTAINER, "Europe/Stockholm", has_password=True),
    Person(DEVELOPER, "Devi Raman", Role.DEVELOPER, "Europe/London", has_password=True),
    Person(REPORTER, "Rosa Keller", Role.REPORTER, "Europe/Berlin", has_password=True),
    Person("priya.nair@example.com", "Priya Nair", Role.MAINTAINER, "Europe/London"),
    Person("tomas.herrera@example.com", "Tomás Herrera", Role.DEVELOPER, "Europe/Madrid"),
    Person("yuki.tanaka@example.com", "Yuki Tanaka", Role.DEVELOPER, "Europe/Berlin"),
    Person("lena.fischer@example.com", "Lena Fischer", Role.DEVELOPER, "Europe/Berlin"),
    Person("omar.haddad@example.com", "Omar Haddad", Role.DEVELOPER, "Europe/Paris"),
    Person("grace.mwangi@example.com", "Grace Mwangi", Role.REPORTER, "Africa/Nairobi"),
    Person("paul.dubois@example.com", "Paul Dubois", Role.REPORTER, "Europe/Paris"),
    Person("hannah.schmidt@example.com", "Hannah Schmidt", Role.REPORTER, "Europe/Berlin"),
)

TEAMS: Final = (
    TeamPlan(
        "Mobile",
        "Builds the Harbour app for iOS and Android.",
        MAINTAINER,
        (DEVELOPER, "yuki.tanaka@example.com", "lena.fischer@example.com"),
    ),
    TeamPlan(
        "Platform",
        "Runs the public API, billing and everything behind it.",
        MAINTAINER,
        (DEVELOPER, "tomas.herrera@example.com", "omar.haddad@example.com"),
    ),
    TeamPlan(
        "IT services",
        "Laptops, accounts, networks: the people one calls.",
        "priya.nair@example.com",
        ("omar.haddad@example.com", "lena.fischer@example.com"),
    ),
)
