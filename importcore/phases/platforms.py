"""Choosing platforms: a smaller index that is correct, not a sparse one that points at what is not there.

The default is the whole index, byte for byte. Where a request names platforms, the index is written anew with the
chosen entries alone, in their order, each entry as it was; so its digest changes, and the record says so. Attestations
that a build left in the index (entries for `unknown/unknown` which name another entry) stay with what they attest.
"""

import json
from typing import Any

from importcore.content import Manifest
from importcore.descriptors import INDEX_TYPES
from importcore.errors import Side, UnsupportedContentError, printable

_ATTESTATION = "vnd.docker.reference.type"
_ATTESTED = "vnd.docker.reference.digest"
_IMPLIED_VARIANTS = {"arm64": "v8", "arm": "v7"}  # containerd's normal form


def select_platforms(root: Manifest, wanted: tuple[str, ...]) -> Manifest:
    """Give the index with the wanted platforms alone; the same manifest where that is all of it.

    Args:
        root: What the source reference named.
        wanted: Names such as `linux/amd64` or `linux/arm64/v8`; one without a variant takes every variant.

    Raises:
        UnsupportedContentError: A wanted platform is not in the index, or there is no index to choose from.
    """
    if not wanted:
        return root
    if root.media_type not in INDEX_TYPES:
        raise UnsupportedContentError(
            "platforms can be chosen from an index, and the source is a single manifest",
            action="Leave `platforms` out to import it as it is.",
            origin=Side.SOURCE,
            step="choose platforms",
            reference=root.digest,
        )
    body = json.loads(root.raw)
    entries: list[dict[str, Any]] = body.get("manifests") or []
    missing = [name for name in wanted if not any(_matches(name, entry) for entry in entries)]
    if missing:
        there = sorted({_name(entry) for entry in entries if not _attested(entry)})
        raise UnsupportedContentError(
            f"the source has no {', '.join(missing)}; it has {printable(', '.join(there))}",
            action="Choose among the platforms that the source has.",
            origin=Side.SOURCE,
            step="choose platforms",
            reference=root.digest,
        )
    chosen = {entry["digest"] for entry in entries if any(_matches(name, entry) for name in wanted)}
    kept = [entry for entry in entries if entry["digest"] in chosen or _attested(entry) in chosen]
    if len(kept) == len(entries):
        return root
    try:
        raw = json.dumps({**body, "manifests": kept}, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise UnsupportedContentError(
            "the index holds a number that cannot be written again",
            action="Leave `platforms` out to import it as it is.",
            origin=Side.SOURCE,
            step="choose platforms",
            reference=root.digest,
        ) from error
    return Manifest.parse(raw, content_type=root.media_type)


def _attested(entry: dict[str, Any]) -> str | None:
    """The digest of the entry that this one attests; None for an ordinary entry."""
    notes = entry.get("annotations")
    if not isinstance(notes, dict) or _ATTESTATION not in notes:
        return None
    attested = notes.get(_ATTESTED)
    return attested if isinstance(attested, str) else None


def _name(entry: dict[str, Any]) -> str:
    return "/".join(_parts(entry)) or "(none)"


def _parts(entry: dict[str, Any]) -> list[str]:
    platform = entry.get("platform")
    if not isinstance(platform, dict):
        return []
    parts = [platform.get("os"), platform.get("architecture"), platform.get("variant")]
    return [part for part in parts if isinstance(part, str) and part]


def _matches(wanted: str, entry: dict[str, Any]) -> bool:
    asked, has = wanted.split("/"), _parts(entry)
    if len(has) < len(asked) and len(has) >= 2:  # noqa: PLR2004 (os and architecture: the variant is implied)
        has = [*has, _IMPLIED_VARIANTS.get(has[1], "")]
    return bool(has) and has[: len(asked)] == asked
