"""The works that are measured, with their goals: what is sent, and what it is measured against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

Facts = Mapping[str, Any]
EMPTY: Final = "empty view"


@dataclass(frozen=True, slots=True)
class Goal:
    """At least this share of what another measurement gives in the same round."""

    of: str
    share: float


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request.

    `floor`: which SQL pgbench runs for it: the request's own query of issues, or that of the counter row.
    `script` is a Lua file that varies the request; without one it is always the same.
    """

    name: str
    address: str = "/api/v1/issues"
    params: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    floor: str = ""
    script: str = ""
    goals: tuple[Goal, ...] = ()
    most_queries: int = 0
    most_bytes: int = 0
    is_page: bool = False

    def path(self, facts: Facts) -> str:
        """Return what is asked for (first, where a script varies it)."""
        address = self.address.format(key=facts["keys"][0], waiting=facts["waiting"][-1])
        query = urlencode([(name, text.format(**_names(facts))) for name, text in self.params])
        return f"{address}?{query}" if query else address

    def headers(self, facts: Facts) -> dict[str, str]:
        """Return who asks."""
        if self.is_page:
            return {"Cookie": f"sessionid={facts['session']}", "Host": "127.0.0.1"}
        return {"Authorization": f"Bearer {facts['token']}", "Host": "127.0.0.1"}

    def body(self, facts: Facts, *, turn: int = 0) -> str:
        """Return what is sent (at first, where a script varies it)."""
        text = _BODIES.get(self.name, "").replace("{project}", facts["project"])
        return text.replace("{status}", ("todo", "in_progress")[turn % 2])


def _names(facts: Facts) -> dict[str, str]:
    return {name: facts[name] for name in ("project", "assignee")}


LIST: Final = "list of 50, JSON"
ONE: Final = "one issue"
CREATE: Final = "create"
STATUS: Final = "change of status"
_SIZE: Final = ("size", "50")
_BODIES: Final = {
    CREATE: '{"project": "{project}", "title": "Measured again", "type": "bug", "severity": "high",'
    ' "description": "What was seen, and what was expected instead."}',
    STATUS: '{"to": "{status}"}',
}

WORKS: Final = (
    Work(EMPTY, address="/api/v1/bench-empty"),
    Work(
        LIST,
        params=(_SIZE,),
        floor="own",
        goals=(Goal("floor", 0.05), Goal(EMPTY, 0.35)),
        most_queries=4,
        most_bytes=25_000,
    ),
    Work(
        "filter of three fields, 50",
        params=(_SIZE, ("project", "{project}"), ("status", "backlog"), ("priority", "high")),
        goals=(Goal(LIST, 0.9),),
    ),
    Work(
        "filter, few matches",
        params=(_SIZE, ("project", "{project}"), ("status", "in_progress"), ("assignee", "{assignee}")),
        goals=(Goal(LIST, 0.9),),
    ),
    Work(
        ONE,
        address="/api/v1/issues/{key}",
        floor="own",
        script="one.lua",
        goals=(Goal(EMPTY, 0.5),),
        most_queries=4,
    ),
    Work(
        "search, rare word",
        address="/api/v1/issues/search",
        params=(_SIZE, ("q", "zanzibar")),
        goals=(Goal(LIST, 0.8),),
    ),
    Work(
        "search, common word",
        address="/api/v1/issues/search",
        params=(_SIZE, ("q", "error")),
        goals=(Goal(LIST, 0.8),),
    ),
    Work(
        "search, absent word",
        address="/api/v1/issues/search",
        params=(_SIZE, ("q", "xylophonic")),
        goals=(Goal(LIST, 0.8),),
    ),
    Work(
        "list of 50, HTML, signed in",
        address="/issues/",
        goals=(Goal(LIST, 0.6),),
        most_queries=8,
        is_page=True,
    ),
    Work(
        CREATE,
        method="POST",
        floor="counter",
        script="create.lua",
        goals=(Goal("floor", 0.35),),
        most_queries=10,
    ),
    Work(
        STATUS,
        address="/api/v1/issues/{waiting}/transitions",
        method="POST",
        floor="counter",
        script="status.lua",
        goals=(Goal("floor", 0.45),),
        most_queries=8,
    ),
)
