"""The signature of a callback, after the Standard Webhooks specification 1.0.0 ("Signature scheme", symmetric).

HMAC-SHA256 over `{id}.{timestamp}.{body}`, the body as it is sent. A receiver computes the same, compares in constant
time, refuses a timestamp that is more than five minutes away from its clock, and drops an id that it has seen.
Every key signs, so that a key can be changed while receivers still hold the old one: one fitting signature is enough.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

VERSION = "v1"


def signed_headers(
    keys: Sequence[tuple[str, bytes]], *, delivery_id: str, timestamp: int, body: bytes
) -> Mapping[str, str]:
    """Give the headers that sign a body.

    Args:
        keys: The keys by their ids; in the order of the signatures.
        delivery_id: The same for every attempt of one notice.
        timestamp: The time of this attempt, in seconds since 1970.
        body: The body, byte by byte as it is sent.
    """
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for _, key in keys]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{VERSION},{signature}" for signature in signatures),
        "transload-key-ids": " ".join(key_id for key_id, _ in keys),
    }
