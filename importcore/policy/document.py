"""What `policy.yaml` says, as values: callers and their routes, limits, required signatures.

Only the form is known here; `door.py` decides by it, `phases/signature_gate.py` verifies. Unknown fields are
mistakes, because a misspelt restriction would be none.
"""

import re
from typing import Annotated, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from importcore.documents.part import DocumentPart
from importcore.errors import InvalidReferenceError
from importcore.reference import DOCKER_HUB, normal_registry
from importcore.repository_globs import glob_problem

_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
_WHO = r"^(function-key|(object|app|group|role|hook|rule):[^\s\x00-\x1f]{1,200})$"


def _glob(text: str) -> str:
    """Refuse a pattern that no repository can ever match, such as a short name of Docker Hub.

    A route of that kind would only help nobody; a signature that is demanded so would never be asked for.
    """
    problem = glob_problem(text)
    if problem:
        raise ValueError(f"'{text[:80]}' {problem}")
    registry, slash, repository = text.partition("/")
    if "**" in registry and registry != "**":  # else **.example.com is other.example/x.example.com, too
        raise ValueError(f"'{text[:80]}': in a registry's name one * is enough; two would go on behind its slash")
    if _WILDCARDS.isdisjoint(registry):
        try:
            registry = normal_registry(registry)
        except InvalidReferenceError as error:
            raise ValueError(f"'{text[:80]}': {error.message}") from error
    if slash and not _REPOSITORIES.fullmatch(repository):
        raise ValueError(f"'{text[:80]}' must have a repository, or a pattern for some, behind the registry: no tag")
    if slash and registry == DOCKER_HUB and "/" not in repository and "**" not in repository:
        raise ValueError(f"'{text[:80]}': Docker Hub's own images are named in full: docker.io/library/{repository}")
    return f"{registry}{slash}{repository}"


def _key(text: str) -> str:
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is no public key in PEM (cosign.pub)") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("is no ECDSA key on P-256, which is what `cosign generate-key-pair` makes")  # noqa: TRY004
    return text


_Glob = Annotated[str, AfterValidator(_glob)]
_Globs = Annotated[tuple[_Glob, ...], Field(min_length=1, max_length=200)]
_Anything = ("**",)
_WILDCARDS = frozenset("*?")
_REPOSITORIES = re.compile(r"[a-z0-9._*?-]+(/[a-z0-9._*?-]+)*")


class Route(DocumentPart):
    """From where to where: one of `from` and one of `to` must match."""

    sources: Annotated[_Globs, Field(alias="from")]
    targets: Annotated[_Globs, Field(alias="to")] = _Anything


class Limits(DocumentPart):
    """How much; what is not said is not limited beyond what the product itself bounds."""

    bytes: Annotated[int, Field(ge=1)] | None = None
    """Of all blobs of one import together."""
    manifests: Annotated[int, Field(ge=1)] | None = None
    """Of one import, its referrers included."""
    tags: Annotated[int, Field(ge=1)] | None = None
    """Target tags of one import, and imports that one selection makes."""
    in_flight: Annotated[int, Field(ge=1)] | None = None
    """Imports of one caller that have not ended; those of one selection count as one."""

    def within(self, other: "Limits") -> "Limits":
        """The narrower of two."""
        names = type(self).model_fields
        pairs = {name: [v for v in (getattr(self, name), getattr(other, name)) if v is not None] for name in names}
        return Limits.model_construct(**{name: min(values) if values else None for name, values in pairs.items()})


class CallerRule(DocumentPart):
    """An entry of `callers`: who it is about, and what they may."""

    name: Annotated[str, StringConstraints(pattern=_NAME)]
    who: Annotated[tuple[Annotated[str, StringConstraints(pattern=_WHO)], ...], Field(min_length=1, max_length=200)]
    """One must be true of the caller; `hook:*` and `rule:*` are all of them."""
    routes: Annotated[tuple[Route, ...], Field(alias="import", max_length=200)] = ()
    """Empty: they may look, and import nothing."""
    sees: Literal["own", "all"] = "own"
    cancels: Literal["none", "own", "all"] = "own"
    limits: Limits = Limits()

    def is_about(self, who: frozenset[str]) -> bool:
        """Tell whether a caller is one of these."""
        kinds = {f"{one.partition(':')[0]}:*" for one in who if one.startswith(("hook:", "rule:"))}
        return not (who | kinds).isdisjoint(self.who)


class SignatureRule(DocumentPart):
    """Images of these routes need a valid signature by one of these keys before a tag moves."""

    sources: Annotated[_Globs, Field(alias="from")] = _Anything
    targets: Annotated[_Globs, Field(alias="to")] = _Anything
    keys: Annotated[tuple[Annotated[str, AfterValidator(_key)], ...], Field(min_length=1, max_length=20)]
    """Public keys in PEM, ECDSA on P-256."""


class PolicyDocument(DocumentPart):
    """The whole of `policy.yaml`."""

    version: Literal[1]
    allow: tuple[Route, ...] | None = None
    """What this installation may do at all, whoever asks; left out, what the app settings allow."""
    callers: tuple[CallerRule, ...] | None = None
    """Left out: whoever has a function key may do everything, and so may every hook and rule."""
    limits: Limits = Limits()
    """For everybody."""
    signatures: tuple[SignatureRule, ...] = ()

    @model_validator(mode="after")
    def _require_names_to_differ(self) -> "PolicyDocument":
        names = [rule.name for rule in self.callers or ()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two callers have the name '{twice}'")
        return self
