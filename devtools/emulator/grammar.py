"""The grammar of names, tags (distribution spec 1.1, "Pulling manifests") and digests (image spec, descriptor.md)."""

import hashlib
import re

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST_REPOSITORY = 255


def is_repository(text: str) -> bool:
    """Whether the text is a repository name."""
    return len(text) <= _LONGEST_REPOSITORY and _REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether the text is a tag."""
    return _TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether the text is a digest of an algorithm that the emulator computes: sha256 or sha512."""
    return _DIGEST.fullmatch(text) is not None


def algorithm_of(digest: str) -> str:
    """The algorithm of a digest, as `hashlib` names it."""
    return digest.partition(":")[0]


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of bytes that are at hand."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
