"""What a rule asks of an event: its registry, its repository, its tag, and what kind of event it is."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from importcore.documents.part import DocumentPart
from importcore.errors import InvalidReferenceError
from importcore.hooks.push_event import PushEvent, PushKind
from importcore.reference import DOCKER_HUB, normal_registry
from importcore.repository_globs import glob_problem, matches_text
from importcore.request.tag_choice import TagChoice, is_range

_GLOBS_AT_MOST = 100
_OFFICIAL = "library/"


def as_list(value: Any) -> Any:  # noqa: ANN401 (what YAML holds)
    """Take one value as a list of one; a number is refused later, as what it is."""
    return value if isinstance(value, list | dict) or value is None else [value]


def _as_tags(value: Any) -> Any:  # noqa: ANN401 (what YAML holds)
    return value if isinstance(value, dict) or value is None else {"include": as_list(value)}


def _registry_glob(text: str) -> str:
    if problem := glob_problem(text):
        raise ValueError(f"'{text[:80]}' {problem}")
    if "/" in text:
        raise ValueError(f"'{text[:80]}' is no registry; its repositories stand in `repository`")
    try:
        return text if is_pattern(text) else normal_registry(text)
    except InvalidReferenceError as error:
        raise ValueError(error.message) from error


def _repository_glob(text: str) -> str:
    if problem := glob_problem(text):
        raise ValueError(f"'{text[:80]}' {problem}")
    return text


def _range(text: str) -> str:
    if not is_range(text):
        raise ValueError("is no range of versions; write for example >=1.2 <2")
    return text


def is_pattern(text: str) -> bool:
    """Tell whether a text has wildcards in it."""
    return not {"*", "?"}.isdisjoint(text)


_RegistryGlobs = Annotated[
    tuple[Annotated[str, AfterValidator(_registry_glob)], ...],
    BeforeValidator(as_list),
    Field(min_length=1, max_length=_GLOBS_AT_MOST),
]
_RepositoryGlobs = Annotated[
    tuple[Annotated[str, AfterValidator(_repository_glob)], ...],
    BeforeValidator(as_list),
    Field(min_length=1, max_length=_GLOBS_AT_MOST),
]
_TagGlobs = Annotated[tuple[str, ...], BeforeValidator(as_list), Field(max_length=_GLOBS_AT_MOST)]


class TagCondition(DocumentPart):
    """Which tags; a text or a list is short for `include`."""

    include: _TagGlobs = ()
    """Globs of which one must match; none takes every tag."""
    exclude: _TagGlobs = ()
    """Globs of which none may match."""
    semver: Annotated[str, AfterValidator(_range)] | None = None
    """A range of versions, in npm's grammar."""

    @property
    def choice(self) -> TagChoice:
        """The same as a choice among tags."""
        return TagChoice(self.include, self.exclude, self.semver)

    def __str__(self) -> str:
        parts = {"include": self.include, "exclude": self.exclude, "semver": self.semver}
        said = (f"{name} {', '.join(v) if isinstance(v, tuple) else v}" for name, v in parts.items() if v)
        return "; ".join(said) or "any"


_EVERY_TAG = TagCondition()


class Condition(DocumentPart):
    """What a rule asks of an event; all of it must be so."""

    registry: _RegistryGlobs
    repository: _RepositoryGlobs = ("**",)
    tag: Annotated[TagCondition, BeforeValidator(_as_tags)] = _EVERY_TAG
    events: Annotated[tuple[PushKind, ...], BeforeValidator(as_list), Field(min_length=1)] = tuple(PushKind)

    @model_validator(mode="after")
    def _require_full_names_at_docker_hub(self) -> "Condition":
        """A name that Docker Hub writes in short would never match: its events say `library/alpine`."""
        short = [name for name in self.repository if "/" not in name and not is_pattern(name)]
        if self.registry == (DOCKER_HUB,) and short:
            raise ValueError(f"repository: Docker Hub's own images are named in full: {_OFFICIAL}{short[0]}")
        return self

    def differences(self, event: PushEvent) -> tuple[str, ...]:
        """Say in which respects an event is not what the rule asks for; empty where it is."""
        found: list[str] = []
        if not any(matches_text(glob, event.registry) for glob in self.registry):
            found.append(f"the registry is {event.registry}, not {' or '.join(self.registry)}")
        if not any(matches_text(glob, event.repository) for glob in self.repository):
            found.append(f"the repository is {event.repository}, not {' or '.join(self.repository)}")
        if event.tag is None:
            found.append("it was pushed by digest alone; rules are about tags")
        elif not self.tag.choice.of((event.tag,)):
            found.append(f"the tag is {event.tag}, wanted is: {self.tag}")
        if event.kind not in self.events:
            found.append(f"the event is {event.kind}, not {' or '.join(self.events)}")
        return tuple(found)
