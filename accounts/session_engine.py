"""Django's sessions in the database, under keys that only we could have given.

A browser may send any text as the key; PostgreSQL fails on some of them (NUL), which would be a 500.
"""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Takes a key of letters and digits; any other is no session."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key) and len(str(key)) >= 8 and str(key).isascii() and str(key).isalnum()
