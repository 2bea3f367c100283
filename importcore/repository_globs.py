"""Patterns over `registry/repository`, as a policy writes them.

`*` is any run of characters without a slash, `**` any run, `?` one character that is no slash. A pattern without a
slash is a registry and means everything in it: `mcr.microsoft.com` is `mcr.microsoft.com/**`.
"""

import re
from functools import lru_cache

_ALLOWED = re.compile(r"[a-z0-9._:\[\]*?/-]{1,512}")
_WILDCARDS_AT_MOST = 8
_TOKENS = re.compile(r"\*\*|\*|\?|[^*?]+")
_MEANING = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def glob_problem(pattern: str) -> str | None:
    """Say what is wrong with a pattern; None when nothing is."""
    if not _ALLOWED.fullmatch(pattern):
        return "must be registry/repository in lower case, with * (no slash), ** (anything) and ? in it"
    if sum(token in _MEANING for token in _TOKENS.findall(pattern)) > _WILDCARDS_AT_MOST:
        return f"has more than {_WILDCARDS_AT_MOST} wildcards"
    if "***" in pattern:
        return "has three stars in a row"
    return None


def matches(pattern: str, registry: str, repository: str) -> bool:
    """Tell whether a pattern is about a repository."""
    whole = pattern if "/" in pattern or pattern == "**" else f"{pattern}/**"
    return matches_text(whole, f"{registry}/{repository}")


def matches_text(pattern: str, text: str) -> bool:
    """Tell whether a pattern is about a text: a registry alone, or a repository alone."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    tokens = _TOKENS.findall(pattern)
    return re.compile("".join(_MEANING.get(token) or re.escape(token) for token in tokens), re.DOTALL)
