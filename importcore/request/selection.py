"""Several imports in one request: which repositories and tags, and where each one goes.

A request with a selection becomes a parent, with one child import for each chosen tag (`expansion.py`). Here is what
the selection means; nothing here asks a registry.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from importcore.reference import Reference
from importcore.request.tag_choice import TagChoice

IMPORTS_AT_MOST = 1_000
DEFAULT_TEMPLATE = "{repository}:{tag}"
_GLOB_CHARACTERS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request selects.

    Attributes:
        source_registry: Where from.
        repositories: Names, or globs over the registry's catalog.
        tags: Which tags of each.
        target_registry: Where to.
        template: The target's repository and tag, with `{repository}` and `{tag}` of the source in it.
    """

    source_registry: str
    repositories: tuple[str, ...]
    tags: TagChoice
    target_registry: str
    template: str = DEFAULT_TEMPLATE

    @property
    def names_globs(self) -> bool:
        """Whether the catalog must be asked which repositories there are."""
        return any(is_glob(name) for name in self.repositories)

    def repositories_of(self, catalog: tuple[str, ...]) -> tuple[str, ...]:
        """Choose among the repositories of a catalog; a plain name is taken whether or not it is listed."""
        found = [name for name in self.repositories if not is_glob(name)]
        globs = [name for name in self.repositories if is_glob(name)]
        found += [name for name in catalog if any(fnmatchcase(name, glob) for glob in globs)]
        return tuple(dict.fromkeys(found))

    def target_of(self, source: Reference) -> Reference:
        """Where one chosen tag goes.

        Raises:
            InvalidReferenceError: The template makes no reference of this name and tag.
        """
        return Reference.in_registry(self.target_registry, fill_in(self.template, source.repository, source.tag or ""))

    def __str__(self) -> str:
        return f"{self.target_registry}/{self.template}"


def fill_in(template: str, repository: str, tag: str) -> str:
    """Fill a target template in."""
    return template.replace("{repository}", repository).replace("{tag}", tag)


def is_glob(name: str) -> bool:
    """Tell whether a repository's name is a pattern."""
    return not _GLOB_CHARACTERS.isdisjoint(name)
