"""The state of an issue as the log tells it."""

from issues.events.folding import FOLDED, folded, told

__all__ = ["FOLDED", "folded", "told"]
