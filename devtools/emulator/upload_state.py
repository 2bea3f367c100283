"""The signed `_state` of an upload's Location: {Name, UUID, Offset, StartedAt}, as distribution and ACR have it."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from devtools.emulator.store import UploadInfo

_SIGNATURE_SIZE = 32


class InvalidStateError(Exception):
    """The text is no state that this registry signed."""


@dataclass(frozen=True, slots=True)
class UploadState:
    """What a Location says of its upload: where it is, which it is, and how far it was."""

    repository: str
    uuid: str
    offset: int


def sign_state(key: bytes, info: UploadInfo, offset: int) -> str:
    """Make the opaque text for a Location; two of them differ even for the same offset."""
    claims = {
        "Name": info.repository,
        "UUID": info.uuid,
        "Offset": offset,
        "StartedAt": datetime.fromtimestamp(info.started_at, UTC).isoformat(),
        "Nonce": secrets.token_hex(4),  # ours: so that a client which keeps an old Location is found out
    }
    message = json.dumps(claims, separators=(",", ":")).encode()
    signed = hmac.digest(key, message, hashlib.sha256) + message
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def read_state(key: bytes, text: str) -> UploadState:
    """Read what `sign_state` made.

    Raises:
        InvalidStateError: It is something else, or another registry's.
    """
    try:
        signed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidStateError from error
    signature, message = signed[:_SIGNATURE_SIZE], signed[_SIGNATURE_SIZE:]
    if not hmac.compare_digest(signature, hmac.digest(key, message, hashlib.sha256)):
        raise InvalidStateError
    claims = json.loads(message)
    return UploadState(claims["Name"], claims["UUID"], claims["Offset"])
