"""Signatures as cosign makes them with a key: what is one, and everything that only looks like one."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pydantic import ValidationError

from devtools.cosign_signatures import SigningKey, bundle_for, payload_for
from importcore.phases.cosign import fingerprint, signer_of_bundle, signer_of_payload
from importcore.policy.document import SignatureRule

KEY, OTHER = SigningKey.new(), SigningKey.new()
DIGEST, ANOTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
PAYLOAD = payload_for(DIGEST)


def test_a_payload_is_signed_by_the_key_that_signed_it() -> None:
    """Whichever of several keys it was; the answer names it."""
    signature = KEY.sign(PAYLOAD)

    assert signer_of_payload(PAYLOAD, signature, DIGEST, [KEY.public]) == fingerprint(KEY.public)
    assert signer_of_payload(PAYLOAD, signature, DIGEST, [OTHER.public, KEY.public]) == fingerprint(KEY.public)


def test_a_signature_may_have_line_breaks() -> None:
    """`openssl base64` and others write them, cosign attaches them as they are, and reads over them."""
    signature = KEY.sign(PAYLOAD)
    broken = f"{signature[:64]}\n{signature[64:]}\r\n"

    assert signer_of_payload(PAYLOAD, broken, DIGEST, [KEY.public]) == fingerprint(KEY.public)
    assert signer_of_payload(PAYLOAD, f" {signature}", DIGEST, [KEY.public]) is None


@pytest.mark.parametrize(
    ("payload", "signature", "digest", "keys"),
    [
        (PAYLOAD, KEY.sign(PAYLOAD), DIGEST, [OTHER.public]),
        (PAYLOAD, KEY.sign(PAYLOAD), DIGEST, []),
        (PAYLOAD, KEY.sign(PAYLOAD), ANOTHER, [KEY.public]),
        (PAYLOAD + b" ", KEY.sign(PAYLOAD), DIGEST, [KEY.public]),
        (PAYLOAD, "", DIGEST, [KEY.public]),
        (PAYLOAD, "no base64", DIGEST, [KEY.public]),
        (PAYLOAD, base64.b64encode(b"no signature").decode(), DIGEST, [KEY.public]),
        (PAYLOAD, KEY.sign(PAYLOAD)[:-8], DIGEST, [KEY.public]),
        (payload_for(DIGEST, "another type"), KEY.sign(payload_for(DIGEST, "another type")), DIGEST, [KEY.public]),
    ],
    ids=[
        "another key",
        "no key",
        "another digest",
        "altered",
        "unsigned",
        "no base64",
        "no signature",
        "cut",
        "another kind",
    ],
)
def test_a_payload_of_another_key_digest_or_kind_is_none(
    payload: bytes, signature: str, digest: str, keys: list[str]
) -> None:
    """Nor is one that was altered, or whose signature is none."""
    assert signer_of_payload(payload, signature, digest, keys) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"critical":[]}',
        b'{"critical":{"type":"cosign container image signature"}}',
        b'{"critical":{"type":"cosign container image signature","image":[]}}',
        PAYLOAD.replace(f'"{DIGEST}"'.encode(), f'["{DIGEST}"]'.encode()),
        PAYLOAD.replace(f'"{DIGEST}"'.encode(), f'"{DIGEST}","Docker-manifest-digest":"{ANOTHER}"'.encode()),
        b"[" * 100_000,
    ],
    ids=[
        "empty",
        "list",
        "null",
        "critical is a list",
        "no image",
        "image is a list",
        "list of digests",
        "two digests",
        "deep",
    ],
)
def test_a_signed_text_that_is_no_payload_is_none(body: bytes) -> None:
    """Even if the right key signed it: no digest, two digests, no object."""
    assert signer_of_payload(body, KEY.sign(body), DIGEST, [KEY.public]) is None


def test_a_bundle_is_signed_by_the_key_that_signed_it() -> None:
    """A statement about the image, of cosign's own kind, in an envelope."""
    bundle = json.dumps(bundle_for(DIGEST, KEY)).encode()

    assert signer_of_bundle(bundle, DIGEST, [OTHER.public, KEY.public]) == fingerprint(KEY.public)
    assert signer_of_bundle(bundle, DIGEST, [OTHER.public]) is None
    assert signer_of_bundle(bundle, ANOTHER, [KEY.public]) is None


def test_an_attestation_is_no_signature() -> None:
    """A statement of another kind says something about the image, and not that it is the signer's."""
    bundle = json.dumps(bundle_for(DIGEST, KEY, "https://slsa.dev/provenance/v1")).encode()

    assert signer_of_bundle(bundle, DIGEST, [KEY.public]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"payload": base64.b64encode(b"{}").decode()},
        {"payload": "no base64!"},
        {"payloadType": "application/json"},
        {"payloadType": None},
        {"signatures": []},
        {"signatures": {}},
        {"signatures": [None, 1, {"sig": 1}, {"sig": ""}]},
        {"signatures": [{"sig": "AAAA"}] * 1_000},
    ],
)
def test_an_envelope_that_was_altered_is_none(change: dict[str, Any]) -> None:
    """Whatever part of it was."""
    bundle = bundle_for(DIGEST, KEY)
    bundle["dsseEnvelope"] |= change

    assert signer_of_bundle(json.dumps(bundle).encode(), DIGEST, [KEY.public]) is None


def test_a_payload_signed_for_one_form_is_none_in_the_other() -> None:
    """The envelope's signature is over its type and lengths, too, so nothing can be carried over."""
    bundle = bundle_for(DIGEST, KEY)
    statement = base64.b64decode(bundle["dsseEnvelope"]["payload"])

    assert signer_of_payload(statement, bundle["dsseEnvelope"]["signatures"][0]["sig"], DIGEST, [KEY.public]) is None
    bundle["dsseEnvelope"]["signatures"] = [{"sig": KEY.sign(statement)}]
    assert signer_of_bundle(json.dumps(bundle).encode(), DIGEST, [KEY.public]) is None


@effort(max_examples=300)
@given(st.binary(max_size=200) | st.recursive(st.text() | st.none(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_any_bytes_are_a_signature_or_none(raw: bytes) -> None:
    """And never an error: whoever may write to the source may put anything there."""
    assert signer_of_bundle(raw, DIGEST, [KEY.public]) is None
    assert signer_of_payload(raw, raw.decode("latin-1"), DIGEST, [KEY.public]) is None


def pem(key: Any) -> str:  # noqa: ANN401 (any kind of public key)
    """A public key as a policy holds it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_bytes(serialization.Encoding.PEM, form).decode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP384R1()).public_key()),
        pem(rsa.generate_private_key(65537, 2048).public_key()),
    ],
    ids=["empty", "no key", "private", "P-384", "RSA"],
)
def test_a_policy_takes_public_keys_on_p256_alone(text: str) -> None:
    """What could verify nothing is told when the policy is read, not when an import fails."""
    with pytest.raises(ValidationError):
        SignatureRule.model_validate({"keys": [text]})


def test_the_key_in_a_policy_is_the_one_that_signs() -> None:
    """As `cosign.pub` holds it."""
    rule = SignatureRule.model_validate({"keys": [KEY.public]})
    KEY.private.public_key().verify(base64.b64decode(KEY.sign(b"x")), b"x", ec.ECDSA(hashes.SHA256()))

    assert signer_of_payload(PAYLOAD, KEY.sign(PAYLOAD), DIGEST, rule.keys)
