"""Signatures as cosign makes them with a key: what one says, and whether a key made it. Nothing here asks a registry.

Formats: sigstore/cosign, "Cosign Signature Specifications" (a layer holds the payload, its annotation the signature)
and "Cosign Bundle Specification" (a layer holds a Sigstore bundle 0.3); the payload: containers/image, "simple
signing"; the bundle's envelope: secure-systems-lab, DSSE 1.0 (pre-authentication encoding), in-toto Statement. Keys are
ECDSA on P-256, signatures over SHA-256. Whether a signature stands in a transparency log is not asked.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from importcore.strict_json import decode_json

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature"
_SIMPLE_TYPE = "cosign container image signature"
_IN_TOTO = "application/vnd.in-toto+json"
_SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
_SIGNATURES_AT_MOST = 10
_LINE_BREAKS = re.compile(r"[\r\n]")


def signer_of_payload(payload: bytes, signature: str, digest: str, keys: Sequence[str]) -> str | None:
    """Tell which key signed a payload that is about a digest; None where none of them did, or it is about another.

    Args:
        payload: The bytes of the layer.
        signature: The annotation, base64.
        digest: The image's, with its algorithm.
        keys: Public keys in PEM.
    """
    signer = _signer(_decoded(signature), payload, keys)
    return signer if signer is not None and _digest_in_payload(payload) == digest else None


def signer_of_bundle(bundle: bytes, digest: str, keys: Sequence[str]) -> str | None:
    """Tell which key signed a bundle that is an image signature of a digest; None as above."""
    envelope = _at(_json(bundle), "dsseEnvelope")
    kind, payload = _at(envelope, "payloadType"), _decoded(_at(envelope, "payload"))
    signatures = _at(envelope, "signatures")
    if kind != _IN_TOTO or payload is None or not isinstance(signatures, list):
        return None
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    found = (_signer(_decoded(_at(one, "sig")), signed, keys) for one in signatures[:_SIGNATURES_AT_MOST])
    signer = next(filter(None, found), None)
    return signer if signer is not None and digest in _digests_in_statement(payload) else None


def fingerprint(key: str) -> str:
    """Name a public key: SHA-256 over its DER form, the first sixteen digits."""
    der = load_pem_public_key(key.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def _signer(signature: bytes | None, message: bytes, keys: Sequence[str]) -> str | None:
    for text in keys if signature else ():
        key = load_pem_public_key(text.encode())
        if not isinstance(key, ec.EllipticCurvePublicKey):
            continue
        try:
            key.verify(signature or b"", message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return fingerprint(text)
    return None


def _digest_in_payload(payload: bytes) -> str | None:
    """The digest that a simple-signing payload is about; both spellings of the field are in use."""
    critical = _at(_json(payload), "critical")
    if _at(critical, "type") != _SIMPLE_TYPE:
        return None
    image = _at(critical, "image")
    found = [value for name in ("docker-manifest-digest", "Docker-manifest-digest") if (value := _at(image, name))]
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None


def _digests_in_statement(payload: bytes) -> set[str]:
    statement = _json(payload)
    subjects = _at(statement, "subject")
    if _at(statement, "predicateType") != _SIGN_PREDICATE or not isinstance(subjects, list):
        return set()
    by_algorithm = [_at(subject, "digest") for subject in subjects]
    return {f"{name}:{value}" for each in by_algorithm if isinstance(each, dict) for name, value in each.items()}


def _json(raw: bytes) -> Any:  # noqa: ANN401 (JSON)
    try:
        return decode_json(raw)
    except ValueError:
        return None


def _at(value: Any, name: str) -> Any:  # noqa: ANN401 (JSON)
    return value.get(name) if isinstance(value, dict) else None


def _decoded(text: object) -> bytes | None:
    """Decode base64 as cosign does (Go's `encoding/base64`): strictly, but for line breaks, which other tools leave."""
    try:
        return base64.b64decode(_LINE_BREAKS.sub("", text), validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
