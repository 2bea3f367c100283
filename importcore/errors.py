"""Every error that Transload can answer, log or record, as one tree.

An error is part of the product: it has a stable `code`, says on which side (`origin`) and in which `step` it
happened, what the registry answered, and what to do about it (`action`). Messages never hold a secret, a token, a
signed URL or a query string; whoever builds a message from outside text passes it through `printable` first.

    TransloadError
    ├── InvalidRequestError            the request names every wrong field
    │   └── InvalidReferenceError      one text that is no image reference
    ├── ConfigurationError             an app setting is missing or wrong
    ├── UnauthenticatedError           nobody knows who asks
    ├── PolicyError                    well-formed, but not allowed here
    ├── TooManyImportsError            allowed, but not so many at once
    ├── ImportNotFoundError            no record with that id
    │   └── ImportHiddenError          none that the caller may see
    ├── ImportConflictError            the record's state does not allow what was asked
    ├── StorageUnavailableError        the storage account did not answer; nothing was accepted
    ├── UnsafeUrlError                 the origin gate refused a URL that a registry handed out
    ├── RegistryError                  a registry answered something that the step cannot accept
    │   ├── AuthenticationError        401 after one fresh token; never means "absent"
    │   ├── AccessDeniedError          403; never means "absent"
    │   ├── NotFoundError              404
    │   ├── RateLimitedError           429, with the time that the registry asked for
    │   ├── UploadSessionLostError     the upload session is gone: the blob starts again
    │   ├── MissingContentError        the target refuses a manifest whose parts it does not have
    │   ├── BodyTooLargeError          413, or a chunk that the registry calls too large
    │   └── RegistryUnavailableError   5xx, time-out, reset connection
    ├── ContentError                   the content is not what its descriptor says, or cannot be imported
    │   ├── DigestMismatchError
    │   ├── SizeMismatchError
    │   └── UnsupportedContentError
    ├── TargetTagExistsError           NoForce, and the tag stands on another digest
    ├── NoProgressError                the import was taken up again and again without moving
    └── LeaseLostError                 another run owns the import; this one stops and touches nothing
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

_PRINTED_AT_MOST = 300
_QUERY = re.compile(r"\?[^\s?]*=\S*")
_USER_INFORMATION = re.compile(r"//[^/\s@]+@")


class Side(StrEnum):
    """Which registry an error or a client is about; the word that users read."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field of a request: `target` is the field's path in the JSON that was sent."""

    code: str
    message: str
    target: str


def printable(text: str, at_most: int = _PRINTED_AT_MOST) -> str:
    """Make text from outside fit for a message: one line, no control characters, bounded, no query strings."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = _QUERY.sub("?…", _USER_INFORMATION.sub("//…@", line))
    return line if len(line) <= at_most else line[: at_most - 1] + "…"


class TransloadError(Exception):
    """Base of the tree; never raised itself."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    default_action: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        action: str | None = None,
        origin: Side | None = None,
        step: str | None = None,
        reference: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.action = action or self.default_action
        self.origin = origin
        self.step = step
        self.reference = reference
        self.retry_after = retry_after


class InvalidRequestError(TransloadError):
    """The request cannot be understood; `problems` names every wrong field at once."""

    code = "invalid_request"

    def __init__(self, message: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message, action="Correct the fields named in `details` and send the request again.")
        self.problems = problems

    @staticmethod
    def naming(problems: Iterable[FieldProblem]) -> "InvalidRequestError":
        """The error of several wrong fields; its message names them, its problems say why."""
        found = tuple(problems)
        fields = ", ".join(dict.fromkeys(problem.target or "(the body)" for problem in found))
        return InvalidRequestError(f"the request is wrong in: {fields}", found)

    @staticmethod
    def in_field(field: str, message: str, code: str = "invalid_value") -> "InvalidRequestError":
        """The error of one wrong field; its message says why."""
        return InvalidRequestError(
            f"the request is wrong in: {field} ({message})", (FieldProblem(code, message, field),)
        )


class InvalidReferenceError(InvalidRequestError):
    """A text is not an image reference; the message names the part that is wrong."""

    code = "invalid_reference"


class ConfigurationError(TransloadError):
    """App settings are missing or wrong; the message names each one."""

    code = "configuration_invalid"
    default_action = "Correct the app settings named in the message; the app picks them up when it restarts."


class UnauthenticatedError(TransloadError):
    """Nobody knows who asks; being known and not allowed is a `PolicyError`."""

    code = "not_authenticated"


class PolicyError(TransloadError):
    """The request is well-formed but this installation does not allow it."""

    code = "not_allowed"


class TooManyImportsError(TransloadError):
    """The caller has as many imports in flight as it may; `retry_after` says when to ask again, in seconds."""

    code = "too_many_imports"
    default_action = "Send the request again when some of them have ended; Retry-After says when to try."


class ImportNotFoundError(TransloadError):
    """There is no record with this id (or it was removed after its retention time)."""

    code = "import_not_found"


class ImportHiddenError(ImportNotFoundError):
    """There is one, and whoever asks may not see it: the same to the caller, and a refusal to the audit log."""


class ImportConflictError(TransloadError):
    """The record's state does not allow what was asked."""

    code = "conflict"


class StorageUnavailableError(TransloadError):
    """Queue, table or blob storage did not answer; the caller may safely ask again."""

    code = "storage_unavailable"
    retryable = True
    default_action = "Send the request again later; nothing was accepted. Check the storage account if it lasts."


class UnsafeUrlError(TransloadError):
    """A URL that a registry or a request named leads where Transload must not go."""

    code = "unsafe_url"


class RegistryError(TransloadError):
    """A registry answered something that the step cannot accept.

    Attributes:
        registry: The host that answered, as the user names it.
        status: The HTTP status; None when no answer came.
        answers: The error codes and messages of the body, in the form "CODE: message", already made printable.
    """

    code = "registry_error"

    def __init__(
        self,
        message: str,
        *,
        registry: str,
        status: int | None = None,
        answers: tuple[str, ...] = (),
        action: str | None = None,
        origin: Side | None = None,
        step: str | None = None,
        reference: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, action=action, origin=origin, step=step, reference=reference, retry_after=retry_after)
        self.registry = registry
        self.status = status
        self.answers = answers


class AuthenticationError(RegistryError):
    """401, after a fresh token was tried once."""

    code = "authentication_failed"
    default_action = (
        "Check the credentials or the identity for this registry. A private or mistyped repository also answers 401."
    )


class AccessDeniedError(RegistryError):
    """403: the registry knows who asks and refuses."""

    code = "access_denied"
    default_action = (
        "Grant the identity the right it lacks on this repository (AcrPush or Repository Writer on a target, AcrPull "
        "or Repository Reader on a source), and check the registry's firewall."
    )


class NotFoundError(RegistryError):
    """404: what was asked for is not there."""

    code = "not_found"
    default_action = "Check the repository, tag or digest for typing errors, and that it still exists."


class RateLimitedError(RegistryError):
    """429; `retry_after` is the time that the registry asked for, in seconds."""

    code = "rate_limited"
    retryable = True
    default_action = "Nothing to do: the import sleeps in the queue and goes on. Credentials usually raise the limit."


class UploadSessionLostError(RegistryError):
    """The target does not know the upload session any more; the blob starts again from zero."""

    code = "upload_session_lost"
    retryable = True


class MissingContentError(RegistryError):
    """The target refused a manifest because it does not have a part of it."""

    code = "content_missing_at_target"
    retryable = True


class BodyTooLargeError(RegistryError):
    """The registry takes no body of this size."""

    code = "body_too_large"


class RegistryUnavailableError(RegistryError):
    """5xx, time-out, refused or reset connection."""

    code = "registry_unavailable"
    retryable = True
    default_action = "Check that the registry can be reached from the function app (DNS, firewall, its own status)."


class ContentError(TransloadError):
    """The content is not what its descriptor says, or is of a kind that cannot be imported."""

    code = "content_invalid"


class DigestMismatchError(ContentError):
    """The bytes do not have the digest that names them."""

    code = "digest_mismatch"
    default_action = "The registry or something on the way to it altered the content; pull the image there to compare."


class SizeMismatchError(ContentError):
    """The bytes are more or fewer than the descriptor says."""

    code = "size_mismatch"
    default_action = "The registry or something on the way to it altered the content; pull the image there to compare."


class UnsupportedContentError(ContentError):
    """Content that Transload knows of and refuses, or does not know at all."""

    code = "unsupported_content"


class TargetTagExistsError(TransloadError):
    """Mode NoForce, and a target tag already stands on another digest."""

    code = "target_tag_exists"
    default_action = "Choose another tag, or send the request with mode Force to overwrite it."


class NoProgressError(TransloadError):
    """The import was taken up several times in a row and nothing moved."""

    code = "no_progress"
    default_action = (
        "Look at the history of the record for what stopped it each time; then send the request again: "
        "what is already at the target will not be sent twice."
    )


class LeaseLostError(TransloadError):
    """Another run owns the import (its lease message was taken); this one stops at once and touches nothing."""

    code = "lease_lost"
