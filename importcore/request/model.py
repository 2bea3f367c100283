"""What a user wants: the meaning of an import request, without ambiguity.

`read_import_request` either answers a request that makes sense or raises one error that names every wrong field: those
that are wrong by themselves (`request_body.py`), those that contradict each other (`contradictions.py`), and those
whose text is no reference. Nothing is ignored silently.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from importcore.errors import FieldProblem, InvalidReferenceError, InvalidRequestError, printable
from importcore.reference import Reference, normal_registry
from importcore.request.body import TAGS_OF_THE_UNION, ImportBody, SourceBody, decode_object
from importcore.request.callback import Callback, read_callback
from importcore.request.contradictions import contradictions
from importcore.request.selection import Selection
from importcore.request.selection_body import SelectionReader, selects
from importcore.request.source_access import (
    UNRESOLVED_REGISTRY,
    NamedCredentials,
    OwnIdentity,
    RegistryResource,
    SourceAccess,
    UserCredentials,
)


class Mode(StrEnum):
    """What to do about a target tag that already stands on another digest."""

    NO_FORCE = "NoForce"
    FORCE = "Force"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to bring, and what to do besides.

    Attributes:
        platforms: Bring these platforms of an index alone; empty brings the index as it is.
        referrers: Bring signatures, SBOMs and attestations along.
        artifact_types: Of the referrers, bring these types alone; empty brings all.
        verify: Ask the target about every part once more when all is done.
        backup_tag: With Force, keep what a tag stood on under this template (`{tag}`, `{digest8}`).
        same_digest: Give the target every tag that stands on the same digest at the source.
    """

    platforms: tuple[str, ...] = ()
    referrers: bool = True
    artifact_types: tuple[str, ...] = ()
    verify: bool = False
    backup_tag: str | None = None
    same_digest: bool = False


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One import, without ambiguity; or several, where it has a selection.

    Attributes:
        source: What to import; with a tag or a digest. None where there is a selection.
        targets: Where to, all in one registry; one without a tag is imported by digest only. Empty with a selection.
        selection: Which repositories and tags, where the request means several imports.
        mode: What to do about target tags that stand on another digest.
        credentials: How to get into the source, where the request says it.
        options: What to bring, and what to do besides.
        validate_only: Answer with what would be done, and do nothing.
        source_id: The source's resource id, where the request names that: `source` stands on `UNRESOLVED_REGISTRY`
            until `ImportClients.resolved` has found out the login server.
        follows: A rule wants it: it brings what the tag stands on at the end of the import (`run/following.py`).
        callback: Whom to call when the import has ended.
    """

    source: Reference | None
    targets: tuple[Reference, ...]
    selection: Selection | None = None
    mode: Mode = Mode.NO_FORCE
    credentials: SourceAccess | None = None
    options: ImportOptions = ImportOptions()
    validate_only: bool = False
    source_id: RegistryResource | None = None
    follows: bool = False
    callback: Callback | None = None

    @property
    def source_registry(self) -> str:
        """Where from."""
        if self.selection is not None:
            return self.selection.source_registry
        return self.single_source.registry

    @property
    def single_source(self) -> Reference:
        """The source of one import; only where there is no selection."""
        if self.source is None:
            raise InvalidRequestError("the request names no single source")
        return self.source

    @property
    def target_registry(self) -> str:
        """Where to."""
        return self.selection.target_registry if self.selection else self.targets[0].registry


def read_import_request(body: bytes, *, default_target: str | None) -> ImportRequest:
    """Read the body of `POST /api/imports`.

    Raises:
        InvalidRequestError: `problems` names every wrong field.
    """
    return import_request_from(decode_object(body), default_target=default_target)


def import_request_from(value: dict[str, Any], *, default_target: str | None) -> ImportRequest:
    """Give the meaning of a decoded body; see `read_import_request`."""
    problems: list[FieldProblem] = []
    parsed: ImportBody | None = None
    try:
        parsed = ImportBody.model_validate(value)
    except ValidationError as error:
        problems += [_structure_problem(problem) for problem in error.errors(include_input=False, include_url=False)]
    problems += contradictions(value)
    reader = _MeaningReader(value, default_target, problems)
    selection = SelectionReader(value, default_target, reader.wrong).read() if selects(value) else None
    source, targets = (None, []) if selects(value) else (reader.source(), reader.targets())
    source_id = reader.source_id()
    callback = read_callback(value, problems)
    if problems or parsed is None or (source is None and selection is None):
        unique = tuple({(p.target, p.message): p for p in problems}.values())
        raise InvalidRequestError.naming(unique)
    options = ImportOptions(
        platforms=tuple(parsed.platforms),
        referrers=parsed.includeReferrers,
        artifact_types=tuple(parsed.artifactTypes),
        verify=parsed.verify,
        backup_tag=parsed.backupTag,
        same_digest=selection is None and parsed.tags is not None and parsed.tags.sameDigest,
    )
    return ImportRequest(
        source=source,
        targets=tuple(dict.fromkeys(targets)),
        selection=selection,
        mode=Mode(parsed.mode),
        credentials=OwnIdentity() if source_id else _access(parsed.source),
        options=options,
        validate_only=parsed.validateOnly,
        source_id=source_id,
        callback=callback,
    )


def _access(source: SourceBody | str) -> SourceAccess | None:
    sent = source.credentials if isinstance(source, SourceBody) else None
    if sent is None:
        return None
    if sent.name is not None:
        return NamedCredentials(sent.name)
    return UserCredentials(sent.password, sent.username or None) if sent.password else None


def _structure_problem(problem: Any) -> FieldProblem:  # noqa: ANN401 (pydantic's ErrorDetails, a plain dict)
    first, *rest = problem["loc"] or ("",)
    if first == "source" and rest and rest[0] in TAGS_OF_THE_UNION:
        rest = rest[1:]
    path = ".".join(printable(str(part), 60) for part in (first, *rest))
    code = {"missing": "missing_field", "extra_forbidden": "unknown_field"}.get(problem["type"], "invalid_value")
    message = {"missing_field": "is required", "unknown_field": "is not a field of this request"}.get(code)
    return FieldProblem(code, message or problem["msg"], path)


class _MeaningReader:
    """Reads references out of the raw body, field by field, so that one wrong field does not hide another."""

    def __init__(self, value: dict[str, Any], default_target: str | None, problems: list[FieldProblem]) -> None:
        self._value = value
        self._default_target = default_target
        self._problems = problems

    def source(self) -> Reference | None:
        source = self._value.get("source")
        if isinstance(source, str):
            return self._parsed("source", source)
        if not isinstance(source, dict) or not isinstance(image := source.get("sourceImage"), str):
            return None
        registry = source.get("registryUri")
        if registry is None and source.get("resourceId") is not None:
            return self._parsed("source.sourceImage", image, registry=UNRESOLVED_REGISTRY)
        if registry is None:
            return self._parsed("source.sourceImage", image)
        if isinstance(registry, str) and (host := self._host("source.registryUri", registry)):
            return self._parsed("source.sourceImage", image, registry=host)
        return None

    def source_id(self) -> RegistryResource | None:
        source = self._value.get("source")
        text = source.get("resourceId") if isinstance(source, dict) else None
        if not isinstance(text, str):
            return None
        try:
            return RegistryResource.parse(text)
        except InvalidReferenceError as error:
            self.wrong("source.resourceId", error.message)
            return None

    def targets(self) -> list[Reference]:
        short = self._value.get("target")
        if isinstance(short, str):
            reference = self._target("target", short, self._default_target, tag_from=self.source())
            return [reference] if reference else []
        registry = self._target_registry()
        if registry is None:
            return []
        tagged = self._texts("targetTags")
        untagged = self._texts("untaggedTargetRepositories")
        source = self.source()
        if not tagged and not untagged and source:
            by_digest_alone = source.digest and not source.tag
            tag = None if by_digest_alone else source.tag or "latest"
            return [Reference(registry, source.repository, tag)]
        found = [self._target(f"targetTags.{i}", text, registry, tag_from=source) for i, text in tagged]
        for i, text in untagged:
            path = f"untaggedTargetRepositories.{i}"
            reference = self._parsed(path, text, registry=registry)
            if reference and (reference.tag or reference.digest or _names_registry(text)):
                self.wrong(path, f"'{printable(text, 120)}': name a repository alone")
            found.append(reference)
        return [reference for reference in found if reference]

    def _target_registry(self) -> str | None:
        named = self._value.get("targetRegistry")
        if named is None and self._default_target is None:
            self.wrong(
                "targetRegistry",
                "is required, because no default is configured (TRANSLOAD_DEFAULT_TARGET_REGISTRY)",
            )
        return self._host("targetRegistry", named) if isinstance(named, str) else self._default_target

    def _target(self, path: str, text: str, registry: str | None, *, tag_from: Reference | None) -> Reference | None:
        """Read a target; without a tag it gets the source's, or `latest` (as ACR does)."""
        names_registry = _names_registry(text)
        if path != "target" and names_registry:
            self.wrong(
                path,
                f"'{printable(text, 120)}': name the repository and tag alone; the registry is `targetRegistry`",
            )
            return None
        if not names_registry and registry is None:
            self.wrong(
                path,
                "must name its registry, because no default is configured (TRANSLOAD_DEFAULT_TARGET_REGISTRY)",
            )
            return None
        reference = self._parsed(path, text, registry=None if names_registry else registry)
        if reference and reference.digest:
            self.wrong(path, f"'{printable(text, 120)}': a target has a tag, its digest is the source's")
            return None
        if reference and reference.tag is None:
            tag = tag_from.tag if tag_from and tag_from.tag else "latest"
            return Reference(reference.registry, reference.repository, tag)
        return reference

    def _texts(self, name: str) -> Sequence[tuple[int, str]]:
        """The texts of a list with their places; what is no text is the models' to complain about."""
        values = self._value.get(name)
        return [(i, v) for i, v in enumerate(values) if isinstance(v, str)] if isinstance(values, list) else []

    def _parsed(self, path: str, text: str, *, registry: str | None = None) -> Reference | None:
        try:
            return Reference.in_registry(registry, text) if registry else Reference.parse(text)
        except InvalidReferenceError as error:
            self.wrong(path, error.message)
            return None

    def _host(self, path: str, text: str) -> str | None:
        try:
            return normal_registry(text)
        except InvalidReferenceError as error:
            self.wrong(path, error.message)
            return None

    def wrong(self, path: str, message: str) -> None:
        """Take note of a problem."""
        self._problems.append(FieldProblem("invalid_value", message, path))


def _names_registry(text: str) -> bool:
    """Whether a target begins with a registry, by the rule that references are read with."""
    first, slash, _ = text.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")
