"""For tests: signatures in each form in which cosign keeps one.

Written after the published formats ("Cosign Signature Specifications", "Cosign Bundle Specification", DSSE, in-toto),
not after the code that verifies them.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devtools.sample_images import EMPTY_JSON, SampleImage, digest
from importcore.descriptors import OCI_MANIFEST

_SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_EMPTY = "application/vnd.oci.empty.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"

_SIGN = "https://sigstore.dev/cosign/sign/v1"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair as `cosign generate-key-pair` makes one."""

    private: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls) -> "SigningKey":
        """Make one."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> str:
        """`cosign.pub`."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def sign(self, message: bytes) -> str:
        """Sign, in base64."""
        return base64.b64encode(self.private.sign(message, ec.ECDSA(hashes.SHA256()))).decode()


def payload_for(image_digest: str, kind: str = "cosign container image signature") -> bytes:
    """What is signed in the older forms: containers/image's simple signing."""
    critical = {
        "identity": {"docker-reference": "registry.example/app"},
        "image": {"docker-manifest-digest": image_digest},
        "type": kind,
    }
    return json.dumps({"critical": critical, "optional": None}, separators=(",", ":")).encode()


def bundle_for(image_digest: str, key: SigningKey, predicate: str = _SIGN) -> dict[str, Any]:
    """A Sigstore bundle 0.3 with an in-toto statement about an image."""
    algorithm, _, value = image_digest.partition(":")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {algorithm: value}}],
        "predicateType": predicate,
        "predicate": {},
    }
    payload, kind = json.dumps(statement).encode(), "application/vnd.in-toto+json"
    signed = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])
    return {
        "mediaType": _BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": "h"}},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": kind,
            "signatures": [{"sig": key.sign(signed)}],
        },
    }


def by_tag(signed: SampleImage, key: SigningKey, about: str | None = None) -> SampleImage:
    """The older form: the image `sha256-<hex>.sig`, whose layer is annotated with its signature."""
    payload = payload_for(about or signed.root)
    return signed_payload(payload, key.sign(payload), {"config": _blob(_CONFIG, EMPTY_JSON)})


def by_referrer(signed: SampleImage, key: SigningKey) -> SampleImage:
    """The same layer in an artifact that refers to the image (OCI 1.1)."""
    beside = {"artifactType": _SIGNATURE, "config": _blob(_EMPTY, EMPTY_JSON), "subject": signed.descriptor()}
    payload = payload_for(signed.root)
    return signed_payload(payload, key.sign(payload), beside)


def by_bundle(signed: SampleImage, key: SigningKey, predicate: str = _SIGN) -> SampleImage:
    """The newer form: a Sigstore bundle in an artifact that refers to the image."""
    bundle = json.dumps(bundle_for(signed.root, key, predicate)).encode()
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": _BUNDLE,
        "config": _blob(_EMPTY, EMPTY_JSON),
        "layers": [_blob(_BUNDLE, bundle)],
        "subject": signed.descriptor(),
    }
    return SampleImage.of(OCI_MANIFEST, body, [EMPTY_JSON, bundle], [])


def tag_of(image_digest: str) -> str:
    """Where the older form is kept."""
    return image_digest.replace(":", "-") + ".sig"


def signed_payload(payload: bytes, signature: str, beside: dict[str, Any] | None = None) -> SampleImage:
    """A payload and its signature, by whatever tool, as the manifest that keeps them."""
    notes = {"dev.cosignproject.cosign/signature": signature}
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "layers": [{**_blob(_SIMPLE, payload), "annotations": notes}],
        **(beside or {"config": _blob(_CONFIG, EMPTY_JSON)}),
    }
    return SampleImage.of(OCI_MANIFEST, body, [EMPTY_JSON, payload], [])


def _blob(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}
