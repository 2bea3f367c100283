"""The JSON body of an import request, as pydantic models: its fields, their grammar, and their description.

Names are those of ACR's own `ImportImageParameters` (ARM, Microsoft.ContainerRegistry, "Import Image"), with our own
fields beside them. What the fields mean together is read by `request.py`.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from importcore.errors import InvalidRequestError, printable

BODY_BYTES_AT_MOST = 256 * 1024
TAGS_OF_THE_UNION = frozenset({"text", "object"})
"""What pydantic adds to the path of a problem inside `source`; not a part of the JSON."""
_TARGETS_AT_MOST = 100
_TEXT_AT_MOST = 1024
_PLATFORMS_AT_MOST = 50
_TYPES_AT_MOST = 50

_Text = Annotated[str, Field(min_length=1, max_length=_TEXT_AT_MOST)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class CredentialsBody(_Body):
    """Credentials for the source registry. A password without a user name is an access token."""

    username: Annotated[str, Field(max_length=_TEXT_AT_MOST)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=16_384, json_schema_extra={"writeOnly": True})]


class SourceBody(_Body):
    """Where to import from, in the words of ACR's `ImportSource`."""

    registryUri: Annotated[_Text | None, Field(examples=["mcr.microsoft.com"])] = None  # noqa: N815 (ACR's name)
    resourceId: _Text | None = None  # noqa: N815 (ACR's name)
    sourceImage: Annotated[_Text, Field(examples=["library/alpine:3.20"])]  # noqa: N815 (ACR's name)
    credentials: CredentialsBody | None = None


def _form(value: object) -> str:
    return "text" if isinstance(value, str) else "object"


class ImportBody(_Body):
    """The body of `POST /api/imports`: ACR's `ImportImageParameters`, or the short form `source` and `target`."""

    source: Annotated[
        Annotated[_Text, Tag("text")] | Annotated[SourceBody, Tag("object")],
        Discriminator(_form),
        Field(description="A reference such as docker.io/library/alpine:3.20, or an object in ACR's words."),
    ]
    target: Annotated[_Text | None, Field(examples=["myregistry.azurecr.io/alpine:3.20"])] = None
    targetRegistry: Annotated[_Text | None, Field(examples=["myregistry.azurecr.io"])] = None  # noqa: N815 (camel case as ACR)
    targetTags: Annotated[list[_Text], Field(max_length=_TARGETS_AT_MOST)] = []  # noqa: N815 (ACR's name)
    untaggedTargetRepositories: Annotated[list[_Text], Field(max_length=_TARGETS_AT_MOST)] = []  # noqa: N815 (ACR's name)
    mode: Literal["NoForce", "Force"] = "NoForce"
    platforms: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9_.]+)?$", max_length=64)]],
        Field(max_length=_PLATFORMS_AT_MOST, examples=[["linux/amd64", "linux/arm64/v8"]]),
        Field(description="Bring these platforms alone, as a smaller index with a digest of its own."),
    ] = []
    includeReferrers: Annotated[  # noqa: N815 (camel case as ACR)
        bool, Field(description="Bring signatures, SBOMs and attestations along.")
    ] = True
    artifactTypes: Annotated[  # noqa: N815 (camel case as ACR)
        list[_Text], Field(max_length=_TYPES_AT_MOST, description="Of the referrers, bring these types alone.")
    ] = []
    verify: Annotated[bool, Field(description="Ask the target about every part once more at the end.")] = False
    validateOnly: Annotated[  # noqa: N815 (camel case as ACR)
        bool, Field(description="Answer at once with what would be done, and do nothing.")
    ] = False
    backupTag: Annotated[  # noqa: N815 (camel case as ACR)
        _Text | None,
        Field(description="With Force: keep what a tag stood on under this tag.", examples=["{tag}-{digest8}"]),
    ] = None


def decode_object(body: bytes) -> dict[str, Any]:
    """Decode a JSON body that must be an object.

    Raises:
        InvalidRequestError: It is too large, no JSON, no object, or names a field twice.
    """
    if len(body) > BODY_BYTES_AT_MOST:
        raise InvalidRequestError(f"the body is larger than {BODY_BYTES_AT_MOST} bytes")
    if not body:
        raise InvalidRequestError("the request has no body; send JSON")
    try:
        value = json.loads(body, object_pairs_hook=_object_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the body is not valid JSON: {printable(str(error), 120)}") from error
    if not isinstance(value, dict):
        raise InvalidRequestError("the body is not a JSON object")
    return value


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a field twice")
    return value
