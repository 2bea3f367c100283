"""The JSON body of `POST /api/rules/test`: an event in the app's own words, or a delivery as its sender makes it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from importcore.errors import FieldProblem, InvalidReferenceError, InvalidRequestError, printable
from importcore.hooks.push_event import PushEvent, PushKind
from importcore.reference import Reference, is_digest, is_tag, normal_registry
from importcore.request.body import decode_object

_Text = Annotated[str, Field(min_length=1, max_length=1024)]


class TrialBody(BaseModel):
    """An event to try the rules with: `registry` and `repository`, or `hook` and `payload`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    registry: Annotated[_Text | None, Field(examples=["docker.io"], description="Where something was pushed.")] = None
    repository: Annotated[_Text | None, Field(examples=["library/alpine"])] = None
    tag: Annotated[_Text | None, Field(examples=["3.20"], description="Left out: a push by digest alone.")] = None
    digest: Annotated[_Text | None, Field(description="What the tag stands on; rules do not ask for it.")] = None
    kind: PushKind = PushKind.IMAGE
    hook: Annotated[
        _Text | None,
        Field(examples=["acr", "harbor/team"], description="Through which hook; the policy may know it by that name."),
    ] = None
    payload: Annotated[Any, Field(description="A delivery, as the sender of `hook` makes it; unsigned.")] = None
    headers: Annotated[
        dict[str, str], Field(max_length=100, description="Of that delivery, where they tell what it is.")
    ] = {}

    @property
    def lower_headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""
        return {name.lower(): value for name, value in self.headers.items()}

    def event(self) -> PushEvent:
        """Give the event that the body says in the app's own words.

        Raises:
            InvalidRequestError: Names every wrong field.
        """
        problems = [
            FieldProblem("missing_field", "is required, or `hook` and `payload`", name)
            for name in ("registry", "repository")
            if getattr(self, name) is None
        ]
        registry, repository = self._place(problems)
        if self.digest is not None and not is_digest(self.digest):
            problems.append(FieldProblem("invalid_value", "is no digest; write sha256: and 64 digits", "digest"))
        if problems or registry is None or repository is None:
            raise InvalidRequestError.naming(problems)
        return PushEvent(registry, repository, self.tag, self.digest, kind=self.kind)

    def _place(self, problems: list[FieldProblem]) -> tuple[str | None, str | None]:
        registry = repository = None
        try:
            registry = normal_registry(self.registry) if self.registry else None
        except InvalidReferenceError as error:
            problems.append(FieldProblem("invalid_value", error.message, "registry"))
        try:
            if self.repository is not None:
                named = Reference.in_registry(registry or "registry.example", self.repository)
                repository = named.repository
                if named.tag or named.digest:
                    problems.append(FieldProblem("invalid_value", "is more than a repository", "repository"))
        except InvalidReferenceError as error:
            problems.append(FieldProblem("invalid_value", error.message, "repository"))
        if self.tag is not None and not is_tag(self.tag):
            problems.append(FieldProblem("invalid_value", "is no tag", "tag"))
        return registry, repository


def read_trial(body: bytes) -> TrialBody:
    """Read the body.

    Raises:
        InvalidRequestError: Names every wrong field.
    """
    value = decode_object(body)
    try:
        read = TrialBody.model_validate(value)
    except ValidationError as error:
        raise InvalidRequestError.naming(
            FieldProblem("invalid_value", problem["msg"], ".".join(printable(str(p), 60) for p in problem["loc"]))
            for problem in error.errors(include_input=False, include_url=False)
        ) from None
    own = [name for name in ("registry", "repository", "tag", "digest") if getattr(read, name) is not None]
    if "payload" in value and read.hook is None:
        raise InvalidRequestError.naming(
            [FieldProblem("missing_field", "is required with a `payload`: who sends it", "hook")]
        )
    if "payload" in value and own:
        message = "cannot stand beside `payload`, which says it"
        raise InvalidRequestError.naming(FieldProblem("contradiction", message, name) for name in own)
    return read
