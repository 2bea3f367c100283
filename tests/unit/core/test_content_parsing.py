"""Whatever a registry sends as a manifest: it is read, or refused with an error of our own tree."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from importcore.content import Manifest
from importcore.descriptors import MANIFEST_TYPES, Descriptor, digest_of
from importcore.errors import TransloadError

_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_JSON = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_TYPE = st.sampled_from(sorted(MANIFEST_TYPES)) | st.text(max_size=20)
_DESCRIPTOR = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": _TYPE | _JSON,
        "digest": st.just("sha256:" + "0" * 64) | st.just("sha512:" + "0" * 128) | _JSON,
        "size": st.integers(0, 1 << 40) | _JSON,
        "urls": st.lists(st.text(max_size=20), max_size=2) | _JSON,
        "platform": st.fixed_dictionaries({"os": _JSON, "architecture": _JSON}) | _JSON,
    },
)
_PARTS = st.lists(_DESCRIPTOR, max_size=4) | _JSON
_NEARLY_A_MANIFEST = st.fixed_dictionaries(
    {},
    optional={
        "schemaVersion": st.sampled_from([1, 2]) | _JSON,
        "mediaType": _TYPE | _JSON,
        "config": _DESCRIPTOR | _JSON,
        "layers": _PARTS,
        "manifests": _PARTS,
        "blobs": _PARTS,
    },
)


def read(raw: bytes, content_type: str) -> None:
    """Read a manifest; it must come out whole, or as an error that can be shown."""
    try:
        manifest = Manifest.parse(raw, content_type=content_type)
    except TransloadError as error:
        assert error.message.isprintable()  # noqa: PT017 (both outcomes are right)
    else:
        assert manifest.raw == raw
        assert manifest.digest == digest_of(raw)
        assert manifest.media_type in MANIFEST_TYPES


@given(raw=st.binary(max_size=200), content_type=st.text(max_size=40))
def test_arbitrary_bytes(raw: bytes, content_type: str) -> None:
    """Bytes of any kind."""
    read(raw, content_type)


@given(body=_JSON, content_type=_TYPE)
def test_arbitrary_json(body: object, content_type: str) -> None:
    """JSON of any shape."""
    read(json.dumps(body).encode(), content_type)


@given(body=_NEARLY_A_MANIFEST, content_type=_TYPE)
def test_nearly_a_manifest(body: dict[str, Any], content_type: str) -> None:
    """JSON with the fields of a manifest and anything in them."""
    read(json.dumps(body).encode(), content_type)


@given(_DESCRIPTOR | _JSON)
def test_arbitrary_descriptors(value: object) -> None:
    """A descriptor is read with a size and a digest that can be verified, or not at all."""
    try:
        read_descriptor = Descriptor.from_json(value)
    except TransloadError:
        return
    assert read_descriptor.size >= 0
    assert read_descriptor.digest.startswith(("sha256:", "sha512:"))
