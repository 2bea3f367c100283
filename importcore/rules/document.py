"""What `rules.yaml` says, as values: what a rule asks of an event, where the image goes, how, and how often to look.

A rule names registries, credentials and targets that the app settings must know; the settings come in as the context
of the validation (`KnownHere`), so that a rule that could never work is a problem of its line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, model_validator

from importcore.documents.part import DocumentPart
from importcore.errors import InvalidReferenceError
from importcore.repository_globs import matches_text
from importcore.request.backup_tag import backup_tag_problem
from importcore.request.body import PLATFORM
from importcore.request.model import ImportOptions, Mode
from importcore.rules.conditions import Condition, as_list, is_pattern
from importcore.rules.templates import template_problem

_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
_EVERY = re.compile(r"([1-9][0-9]{0,3})([mhd])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}
_LEAST_SECONDS = 600


@dataclass(frozen=True, slots=True)
class KnownHere:
    """What the app settings know, for the rules to be held to.

    Attributes:
        targets: The registries that imports may write to.
        credentials: The registry of each of the configured credentials, by their names.
    """

    targets: tuple[str, ...] = ()
    credentials: Mapping[str, str] = field(default_factory=dict)


def _known(info: ValidationInfo) -> KnownHere:
    return info.context if isinstance(info.context, KnownHere) else KnownHere()


def _target(text: str, info: ValidationInfo) -> str:
    known = _known(info)
    try:
        problem = template_problem(text, known.targets)
    except InvalidReferenceError as error:
        problem = error.message
    if problem:
        raise ValueError(problem)
    return text


def _credentials(name: str, info: ValidationInfo) -> str:
    if name not in _known(info).credentials:
        raise ValueError(f"'{name[:64]}' is not a name in TRANSLOAD_CREDENTIALS")
    return name


def _platform(text: str) -> str:
    if re.fullmatch(PLATFORM, text) is None:
        raise ValueError("must be a platform such as linux/amd64 or linux/arm64/v8")
    return text


def _backup_tag(text: str) -> str:
    if problem := backup_tag_problem(text):
        raise ValueError(problem)
    return text


def _interval(text: str) -> str:
    found = _EVERY.fullmatch(text)
    if found is None or seconds_of(text) < _LEAST_SECONDS:
        raise ValueError("must be a time such as 30m, 6h or 1d, and at least 10m")
    return text


def seconds_of(interval: str) -> int:
    """Give the seconds of an interval that is well-formed."""
    return int(interval[:-1]) * _SECONDS[interval[-1]]


class RuleOptions(DocumentPart):
    """What to bring, and what to do besides; the meaning is that of the same fields of a request."""

    mode: Mode = Mode.FORCE
    """`Force` follows the tag; `NoForce` brings what is new, and fails where a target tag stands on another digest."""
    platforms: Annotated[tuple[Annotated[str, AfterValidator(_platform)], ...], Field(max_length=50)] = ()
    referrers: bool = True
    artifact_types: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    verify: bool = False
    backup_tag: Annotated[str, AfterValidator(_backup_tag)] | None = None
    credentials: Annotated[str, AfterValidator(_credentials)] | None = None
    """The name of credentials in `TRANSLOAD_CREDENTIALS`, for the source."""

    @model_validator(mode="after")
    def _require_no_contradiction(self) -> "RuleOptions":
        if self.artifact_types and not self.referrers:
            raise ValueError("artifactTypes: cannot stand beside `referrers: false`: there is nothing to choose from")
        if self.backup_tag and self.mode is not Mode.FORCE:
            raise ValueError("backupTag: needs `mode: Force`; without it no tag is overwritten")
        return self

    @property
    def of_import(self) -> ImportOptions:
        """The same as options of an import."""
        return ImportOptions(
            platforms=self.platforms,
            referrers=self.referrers,
            artifact_types=self.artifact_types,
            verify=self.verify,
            backup_tag=self.backup_tag,
        )


_USUAL = RuleOptions.model_construct()


class Rule(DocumentPart):
    """One rule."""

    name: Annotated[str, StringConstraints(pattern=_NAME)]
    on: Condition
    to: Annotated[
        tuple[Annotated[str, AfterValidator(_target)], ...],
        BeforeValidator(as_list),
        Field(min_length=1, max_length=20),
    ]
    options: RuleOptions = _USUAL
    schedule: Annotated[str, AfterValidator(_interval)] | None = None
    """How often to look for tags that no event announced: `30m`, `6h`, `1d`."""

    @model_validator(mode="after")
    def _require_what_can_work(self, info: ValidationInfo) -> "Rule":
        known = _known(info)
        registry = known.credentials.get(self.options.credentials or "")
        if registry is not None and not any(matches_text(glob, registry) for glob in self.on.registry):
            raise ValueError(f"options.credentials: those are for {registry}, which the rule's registry is not")
        if self.schedule and any(is_pattern(glob) for glob in self.on.registry):
            raise ValueError("schedule: needs registries without wildcards in `on`, to know whom to ask")
        return self


class RulesDocument(DocumentPart):
    """The whole of `rules.yaml`."""

    version: Literal[1]
    rules: Annotated[tuple[Rule, ...], Field(max_length=500)]

    @model_validator(mode="after")
    def _require_names_to_differ(self) -> "RulesDocument":
        names = [rule.name for rule in self.rules]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two rules have the name '{twice}'")
        return self
