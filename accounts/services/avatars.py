"""Pictures of people: made anew from what was uploaded, small and square, before they are kept."""

import hashlib
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.db.models import QuerySet

from accounts.models import User
from accounts.services.fields import KeptPicture
from accounts.services.users import edit_user
from tracker.caller import Caller
from tracker.errors import Invalid
from tracker.files import pictures
from tracker.files.storage import drop, store
from tracker.files.uploads import Upload

FOLDER = "avatars"


def edit_account(user_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]) -> User:
    """Change fields of an account as `edit_user` does; `avatar` may be an upload, or None for no picture.

    The picture is made and stored before the transaction. Raises also `Unavailable` (no room).
    """
    upload = changes.get("avatar")
    if upload is None:
        return edit_user(user_id, by=by, changes=changes)
    kept = _keep(upload)
    try:
        return edit_user(user_id, by=by, changes={**changes, "avatar": kept})
    except BaseException:
        drop([kept.key])
        raise


def referenced(keys: Collection[str]) -> Collection[str]:
    """Return those of these keys that are pictures of accounts."""
    return set(User.objects.filter(avatar__in=keys).values_list("avatar", flat=True))


def kept_keys() -> QuerySet[Any, str]:
    """Return the keys of all accounts' pictures."""
    keys: QuerySet[Any, str] = User.objects.exclude(avatar="").order_by("pk").values_list("avatar", flat=True)
    return keys


def _keep(upload: Upload) -> KeptPicture:
    """Store a picture under a random key that ends with the hash of its content."""
    try:
        made = pictures.avatar(upload)
    except Invalid as refusal:
        raise Invalid(fields={"avatar": refusal.fields.get("file", [refusal.message])}) from None
    ending = f"-{hashlib.sha256(made).hexdigest()[:32]}"
    return KeptPicture(store(ContentFile(made), folder=FOLDER, ending=ending))
