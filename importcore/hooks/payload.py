"""Reading what a sender sent: values by path, and a clear error at the first one that is missing or of another kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from importcore.errors import FieldProblem, InvalidReferenceError, InvalidRequestError, printable
from importcore.hooks.push_event import PushEvent, PushKind
from importcore.reference import Reference, is_digest, is_tag, normal_registry
from importcore.strict_json import decode_json

BODY_BYTES_AT_MOST = 1024 * 1024
EVENTS_AT_MOST = 1_000
_TEXT_AT_MOST = 2_048
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


class MalformedEventError(InvalidRequestError):
    """A delivery is not what its sender's documentation says; the message names the field."""

    code = "event_malformed"

    def __init__(self, path: str, message: str) -> None:
        where = path or "(the body)"
        super().__init__(f"the event is wrong in: {where} ({message})", (FieldProblem("invalid_value", message, path),))


@dataclass(frozen=True, slots=True)
class Payload:
    """A JSON value and where it stands."""

    value: Any
    path: str = ""

    def get(self, *names: str) -> "Payload":
        """Go down by names; what is not there is null."""
        value, path = self.value, self.path
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
            path = f"{path}.{name}" if path else name
        return Payload(value, path)

    def text(self, *names: str) -> str:
        """Give a text that must be there.

        Raises:
            MalformedEventError: It is not, or is empty, or far too long.
        """
        found = self.get(*names)
        if not _is_text(found.value):
            raise MalformedEventError(found.path, f"must be a text of 1 to {_TEXT_AT_MOST} characters")
        return str(found.value)

    def maybe(self, *names: str) -> str | None:
        """Give a text, or None where there is none."""
        value = self.get(*names).value
        return str(value) if _is_text(value) else None

    def items(self, *names: str) -> list["Payload"]:
        """Give the members of a list that must be there.

        Raises:
            MalformedEventError: It is no list, or of absurd length.
        """
        found = self.get(*names)
        if not isinstance(found.value, list) or len(found.value) > EVENTS_AT_MOST:
            raise MalformedEventError(found.path, f"must be a list of at most {EVENTS_AT_MOST}")
        return [Payload(each, f"{found.path}.{i}" if found.path else str(i)) for i, each in enumerate(found.value)]

    def moment(self, *names: str) -> datetime | None:
        """Give a time, from ISO 8601 or seconds since 1970; None where there is none that can be read."""
        value = self.get(*names).value
        try:
            if isinstance(value, str):
                found = datetime.fromisoformat(value[:64])
                return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
        return None


def _is_text(value: object) -> bool:
    """Half of a surrogate pair is no text: nothing that it were written to would take it."""
    return isinstance(value, str) and 0 < len(value) <= _TEXT_AT_MOST and not _HALF_A_CHARACTER.search(value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a sender.

    Attributes:
        body: As it came.
        headers: By lower-case name.
        registry: The registry that is configured for this hook; it counts before what the sender says, whose own
            name for its registry may be one that only its network knows.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    registry: str | None = None

    def payload(self) -> Payload:
        """Decode the body: JSON, or a form with JSON in its one field `payload` (GitHub's other content type).

        The content type is not signed: a body that is JSON must not become a form by it, with a `payload` somewhere
        in one of its texts.

        Raises:
            MalformedEventError: It is neither.
        """
        body = self.body
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            try:
                fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=1)
            except ValueError:
                fields = []
            body = fields[0][1].encode() if fields and fields[0][0] == "payload" else b""
        try:
            return Payload(decode_json(body))
        except ValueError as error:
            raise MalformedEventError("", f"is no JSON: {printable(str(error), 120)}") from None


def push(
    place: Payload,
    registry: str | None,
    repository: str,
    tag: str | None,
    digest: str | None = None,
    *,
    at: datetime | None = None,
    actor: str | None = None,
    delivery: str | None = None,
    kind: PushKind = PushKind.IMAGE,
) -> PushEvent:
    """Make a push of what was read, in normal form. A tag that is a digest is none (Harbor names untagged pushes so).

    Raises:
        MalformedEventError: It is no reference, at `place`.
    """
    if registry is None:
        raise MalformedEventError(place.path, "does not say its registry: set `registry` for this hook")
    name = tag if tag and not is_digest(tag) else None
    if name is not None and not is_tag(name):
        raise MalformedEventError(place.path, f"'{printable(name, 80)}' is no tag")
    if tag and digest is None and is_digest(tag):
        digest = tag
    if name is None and digest is None:
        raise MalformedEventError(place.path, "names neither a tag nor a digest")
    if digest is not None and not is_digest(digest):
        raise MalformedEventError(place.path, f"'{printable(digest, 80)}' is no digest")
    try:
        named = Reference.in_registry(normal_registry(registry), repository)
    except InvalidReferenceError as error:
        raise MalformedEventError(place.path, error.message) from None
    if named.tag or named.digest:
        raise MalformedEventError(place.path, f"'{printable(repository, 80)}' is more than a repository")
    who, sent_as = (printable(text, 100) if text else None for text in (actor, delivery))
    return PushEvent(named.registry, named.repository, name, digest, at, who, sent_as, kind)
