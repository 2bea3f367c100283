"""Patterns over `registry/repository`, as a policy writes them.

`*` is any run of characters without a slash, `**` any run, `?` one character that is no slash. A pattern without a
slash is a registry and means everything in it: `mcr.microsoft.com` is `mcr.microsoft.com/**`.
"""

import re
from functools import lru_cache

_ALLOWED = re.compile(r"[a-z0-9._:\[\]*?/-]{1,512}")
_WILDCARDS_AT_MOST = 8
_TOKENS = re.compile(r"\*\*|\*|\?|[^*?]+")
_WILDCARDS = frozenset({"**", "*", "?"})


def glob_problem(pattern: str) -> str | None:
    """Say what is wrong with a pattern; None when nothing is."""
    if not _ALLOWED.fullmatch(pattern):
        return "must be registry/repository in lower case, with * (no slash), ** (anything) and ? in it"
    if sum(token in _WILDCARDS for token in _TOKENS.findall(pattern)) > _WILDCARDS_AT_MOST:
        return f"has more than {_WILDCARDS_AT_MOST} wildcards"
    if "***" in pattern:
        return "has three stars in a row"
    return None


def matches(pattern: str, registry: str, repository: str) -> bool:
    """Tell whether a pattern is about a repository."""
    whole = pattern if "/" in pattern or pattern == "**" else f"{pattern}/**"
    return matches_text(whole, f"{registry}/{repository}")


def matches_text(pattern: str, text: str) -> bool:
    """Tell whether a pattern is about a text: a registry alone, or a repository alone.

    Every place in the pattern that the text can have reached is followed at once, so that the work grows with pattern
    times text; a regular expression tries them one after the other, which for eight wildcards takes days.
    """
    steps, prefix = _steps(pattern)
    if not text.startswith(prefix):
        return False
    return len(steps) in _reached(steps, text)


def matches_within(pattern: str, registry: str) -> bool:
    """Tell whether a pattern can be about any repository of a registry."""
    if "/" not in pattern and pattern != "**":
        return matches_text(pattern, registry)
    steps, _ = _steps(pattern)
    return bool(_reached(steps, f"{registry}/"))


@lru_cache(maxsize=4096)
def _steps(pattern: str) -> tuple[tuple[str, ...], str]:
    """The wildcards and single characters of a pattern, and what it begins with before any wildcard."""
    tokens = _TOKENS.findall(pattern)
    steps = tuple(step for token in tokens for step in ((token,) if token in _WILDCARDS else token))
    return steps, tokens[0] if tokens and tokens[0] not in _WILDCARDS else ""


def _reached(steps: tuple[str, ...], text: str) -> set[int]:
    """The places in a pattern where a text can end."""
    reached = _without_waiting(steps, {0})
    for character in text:
        reached = _without_waiting(steps, {after for at in reached for after in _after(steps, at, character)})
    return reached


def _without_waiting(steps: tuple[str, ...], reached: set[int]) -> set[int]:
    """With the places behind stars, which may stand for nothing."""
    found = set(reached)
    for place in reached:
        at = place
        while at < len(steps) and steps[at] in {"*", "**"}:
            at += 1
            found.add(at)
    return found


def _after(steps: tuple[str, ...], at: int, character: str) -> tuple[int, ...]:
    """Where one more character leads from a place."""
    step = steps[at] if at < len(steps) else ""
    if step == "**" or (step == "*" and character != "/"):
        return (at,)
    return (at + 1,) if step == character or (step == "?" and character != "/") else ()
