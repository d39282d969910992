"""Text as the search has it, the same for both databases: folded tokens of letters and digits.

Case and accents do not count (`Übergabe` is `ubergabe`). What stands between words separates them, so that
`foo_bar.py`, `KEY-12` and `v1.2.3` are short phrases, found whole or by each part. Names with an inner change
of case, and letters beside digits, are kept whole and once more in their pieces. Of scripts that are written
without spaces each character is a token, and a run of them in a query is a phrase.
"""

import re
import unicodedata
from typing import Final

Groups = list[list[str]]
"""Tokens in order; between two groups no phrase reaches."""

LONGEST_TOKEN: Final = 64
_MOST_PIECES: Final = 12
# Thai to Myanmar, Khmer, kana and bopomofo, Han, Hangul; then signs and pictures
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_PICTURES: Final = "\u2600-\u27bf\U0001f000-\U0001faff"
_ASCII_TOKEN: Final = re.compile(r"[a-z0-9]+")
_TOKEN: Final = re.compile(rf"[{_UNSPACED}{_PICTURES}]|[^\W_{_UNSPACED}]+")
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")
# Capitals and digits are rarer than what stands beside them, so the search begins with these.
_MIXED: Final = re.compile(
    r"[A-Z0-9](?:(?<=[a-z][A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z][0-9])|(?<=[0-9])(?=[A-Za-z]))"
)
_PIECE: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_A-Za-z0-9]+")


def fold(text: str) -> str:
    """Return the text without case and accents, characters of compatibility as their plain ones."""
    return _unaccented(text).casefold()


def tokens(text: str) -> list[str]:
    """Return the tokens of a text in order."""
    is_plain = text.isascii()
    found = _ASCII_TOKEN.findall(text.lower()) if is_plain else _TOKEN.findall(fold(text))
    return found if len(text) <= LONGEST_TOKEN and is_plain else [token[:LONGEST_TOKEN] for token in found]


def groups(text: str) -> Groups:
    """Return the tokens of a text, and behind them the pieces of each name with an inner boundary."""
    whole = tokens(text)
    return [whole, *_pieces(text)] if whole else []


def _pieces(text: str) -> Groups:
    """Return the pieces of `NullPointerException`, `v1.2.3` and `utf8`, each name once."""
    if not _MIXED.search(text):
        return []
    names = dict.fromkeys(chunk for chunk in _unaccented(text).split() if _MIXED.search(chunk))
    found = {tuple(tokens(" ".join(_PIECE.findall(name)))): name for name in names}
    return [list(pieces) for pieces in found if 1 < len(pieces) <= _MOST_PIECES]


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare)
