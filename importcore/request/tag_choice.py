"""Choosing tags: which of a repository's tags a request means.

Globs (`fnmatch`, case-sensitive) say what is in and what is out; a range of versions in npm's grammar (`>=1.2 <2`)
leaves the versions that it holds, and nothing that is no version; `newest` leaves the highest so many. A tag is a
version when it is one to three numbers with an optional `v` before and a pre-release behind: `v1.2`, `1.2.3-rc.1`.
Registries do not tell when a tag was pushed, so "newest" means the highest version; tags that are none rank below, in
their order.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from semantic_version import NpmSpec, Version

_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?")


@dataclass(frozen=True, slots=True)
class TagChoice:
    """What a request says about tags.

    Attributes:
        include: Globs of which a tag must match one; empty means every tag.
        exclude: Globs of which a tag may match none.
        semver: A range of versions; None takes tags that are no versions too.
        newest: At most so many; None takes all.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    semver: str | None = None
    newest: int | None = None

    def of(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Choose among tags; the highest version comes first where `newest` is given, else their order is kept."""
        chosen = [tag for tag in tags if self._matches(tag)]
        if self.semver is not None:
            allowed = NpmSpec(self.semver)
            chosen = [tag for tag in chosen if (version := version_of(tag)) is not None and version in allowed]
        if self.newest is None:
            return tuple(chosen)
        versions = [(version, tag) for tag in chosen if (version := version_of(tag)) is not None]
        versions.sort(key=lambda pair: pair[0], reverse=True)
        others = [tag for tag in chosen if version_of(tag) is None]
        return tuple([*(tag for _, tag in versions), *others][: self.newest])

    def _matches(self, tag: str) -> bool:
        included = not self.include or any(fnmatchcase(tag, glob) for glob in self.include)
        return included and not any(fnmatchcase(tag, glob) for glob in self.exclude)


def version_of(tag: str) -> Version | None:
    """Read a tag as a version; missing parts are zero. None when it is none."""
    found = _VERSION.fullmatch(tag)
    if found is None:
        return None
    major, minor, patch, before = found.groups()
    text = f"{int(major)}.{int(minor or 0)}.{int(patch or 0)}" + (f"-{before}" if before else "")
    try:
        return Version(text)
    except ValueError:  # a pre-release that the grammar forbids: `rc..1`, `01`
        return None


def is_range(text: str) -> bool:
    """Tell whether a text is a range of versions in npm's grammar."""
    try:
        NpmSpec(text)
    except ValueError:
        return False
    return True
