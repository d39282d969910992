"""What the fuzzer knows beside the schema: names of things that are there, so that it comes past the 404.

Read by the fuzzer's own process; `FUZZ_KNOWN` holds `{"<parameter of a path>": [values]}` as JSON.
"""

import json
import os
import random
from typing import Any

import schemathesis

KNOWN: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_KNOWN", "{}"))
_random = random.Random(7)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """In three of four cases name something that is there."""
    if not path_parameters:
        return path_parameters
    path = context.operation.path
    for name in path_parameters:
        values = KNOWN.get(f"{path}:{name}") or KNOWN.get(name)
        if values and _random.random() < 0.75:
            path_parameters[name] = _random.choice(values)
    return path_parameters
