"""How many sockets and streams each person has open in this process."""

import threading
import uuid
from collections import Counter
from typing import Final

MOST: Final = 20
_taken: Final[Counter[uuid.UUID]] = Counter()
_lock: Final = threading.RLock()  # views take in their threads; a collected place is released in any


class Place:
    """One of a person's places. Released once, at the latest when nobody holds it any more."""

    def __init__(self, user_id: uuid.UUID) -> None:
        self._user_id: uuid.UUID | None = user_id

    def release(self) -> None:
        """Give it back; nothing where that was done."""
        with _lock:
            user_id, self._user_id = self._user_id, None
            if user_id is None:
                return
            _taken[user_id] -= 1
            if _taken[user_id] <= 0:
                del _taken[user_id]

    def __del__(self) -> None:
        self.release()


def take(user_id: uuid.UUID) -> Place | None:
    """Return a place for this person; None where all of theirs are taken."""
    with _lock:
        if _taken[user_id] >= MOST:
            return None
        _taken[user_id] += 1
        return Place(user_id)
