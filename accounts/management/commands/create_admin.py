"""Makes an admin from the command line."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.models import Role
from accounts.services.registration import name_from_email
from accounts.services.users import create_user
from tracker.errors import DomainError


class Command(BaseCommand):
    """`create_admin EMAIL [--name NAME] [--password-from-stdin]`."""

    help = "Make an admin. The password is asked for, or read from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address and the name; never the password, which other users of the machine would see."""
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--password-from-stdin", action="store_true", help="read the password's one line")

    def handle(self, *_: Any, **options: Any) -> None:
        """Make the account, or say in one sentence why not."""
        password = sys.stdin.readline().rstrip("\r\n") if options["password_from_stdin"] else _ask()
        name = options["name"] or name_from_email(options["email"])
        try:
            user = create_user(by=None, email=options["email"], name=name, role=Role.ADMIN, password=password)
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user.email} is an admin now.")


def _ask() -> str:
    password = getpass("Password: ")
    if password != getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password
