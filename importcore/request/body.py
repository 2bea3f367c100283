"""The JSON body of an import request, as pydantic models: its fields, their grammar, and their description.

Names are those of ACR's own `ImportImageParameters` (ARM, Microsoft.ContainerRegistry, "Import Image"), with our own
fields beside them. What the fields mean together is read by `request.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from importcore.errors import InvalidRequestError, printable
from importcore.strict_json import decode_json

BODY_BYTES_AT_MOST = 256 * 1024
TAGS_OF_THE_UNION = frozenset({"text", "object"})
"""What pydantic adds to the path of a problem inside `source`; not a part of the JSON."""
PLATFORM = r"^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9_.]+)?$"
"""A platform: os/architecture, and a variant where it has one."""
_TARGETS_AT_MOST = 100
_TEXT_AT_MOST = 1024
_PLATFORMS_AT_MOST = 50
_TYPES_AT_MOST = 50
_GLOBS_AT_MOST = 50

_Text = Annotated[str, Field(min_length=1, max_length=_TEXT_AT_MOST)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class CredentialsBody(_Body):
    """Credentials for the source registry: a user and a password, a token as password alone, or a configured name."""

    name: Annotated[
        Annotated[str, Field(min_length=1, max_length=64)] | None,
        Field(description="The name of credentials in the app setting TRANSLOAD_CREDENTIALS; with nothing beside it."),
    ] = None
    username: Annotated[
        Annotated[str, Field(max_length=_TEXT_AT_MOST)] | None,
        Field(description="A user, a service principal's appId, the name of a token; left out for an access token."),
    ] = None
    password: Annotated[
        Annotated[str, Field(min_length=1, max_length=16_384)] | None,
        Field(
            description="The password or token; sealed while the import waits, and removed when it ends.",
            json_schema_extra={"writeOnly": True},
        ),
    ] = None


class SourceBody(_Body):
    """Where to import from, in the words of ACR's `ImportSource`."""

    registryUri: Annotated[  # noqa: N815 (ACR's name)
        _Text | None, Field(examples=["mcr.microsoft.com"], description="The address of the source registry.")
    ] = None
    resourceId: Annotated[  # noqa: N815 (ACR's name)
        _Text | None,
        Field(
            description="The source's resource id, where it is an Azure Container Registry; instead of `registryUri`.",
            examples=["/subscriptions/…/resourceGroups/…/providers/Microsoft.ContainerRegistry/registries/myregistry"],
        ),
    ] = None
    sourceImage: Annotated[  # noqa: N815 (ACR's name)
        _Text | None,
        Field(examples=["library/alpine:3.20"], description="`repository[:tag][@digest]`; without both, `latest`."),
    ] = None
    credentials: Annotated[
        CredentialsBody | None, Field(description="For the source; without them this app's own, or none.")
    ] = None


class TagsBody(_Body):
    """Which tags of the source repository; or, with `sameDigest` alone, all tags of the one image."""

    include: Annotated[
        list[_Text], Field(max_length=_GLOBS_AT_MOST, examples=[["1.*"]], description="Globs; one must match.")
    ] = []
    exclude: Annotated[
        list[_Text], Field(max_length=_GLOBS_AT_MOST, examples=[["*-rc*"]], description="Globs; none may match.")
    ] = []
    semver: Annotated[
        _Text | None, Field(examples=[">=1.2 <2"], description="A range of versions, in npm's grammar.")
    ] = None
    newest: Annotated[
        Annotated[int, Field(ge=1, le=1_000)] | None, Field(description="The highest so many versions alone.")
    ] = None
    sameDigest: Annotated[  # noqa: N815 (camel case as ACR)
        bool, Field(description="Give the target every tag that stands on the same digest at the source.")
    ] = False


def _form(value: object) -> str:
    return "text" if isinstance(value, str) else "object"


class ImportBody(_Body):
    """The body of `POST /api/imports`: ACR's `ImportImageParameters`, or the short form `source` and `target`."""

    source: Annotated[
        Annotated[_Text, Tag("text")] | Annotated[SourceBody, Tag("object")],
        Discriminator(_form),
        Field(description="A reference such as docker.io/library/alpine:3.20, or an object in ACR's words."),
    ]
    target: Annotated[
        _Text | None,
        Field(examples=["myregistry.azurecr.io/alpine:3.20"], description="Where to, in the short form."),
    ] = None
    targetRegistry: Annotated[  # noqa: N815 (camel case as ACR)
        _Text | None,
        Field(examples=["myregistry.azurecr.io"], description="Where to; left out where a default is configured."),
    ] = None
    targetTags: Annotated[  # noqa: N815 (ACR's name)
        list[_Text],
        Field(max_length=_TARGETS_AT_MOST, examples=[["alpine:3.20"]]),
        Field(description="`repository[:tag]`; without a tag the source's, or `latest`."),
    ] = []
    untaggedTargetRepositories: Annotated[  # noqa: N815 (ACR's name)
        list[_Text],
        Field(max_length=_TARGETS_AT_MOST, description="Repositories that get the image by digest alone."),
    ] = []
    tags: Annotated[TagsBody | None, Field(description="Choose tags of the repository: one import for each.")] = None
    repositories: Annotated[
        Annotated[list[_Text], Field(min_length=1, max_length=_TARGETS_AT_MOST)] | None,
        Field(examples=[["team/*"]], description="Repositories of the source registry, by name or glob; then `tags`."),
    ] = None
    targetTemplate: Annotated[  # noqa: N815 (camel case as ACR)
        _Text | None,
        Field(examples=["mirror/{repository}:{tag}"], description="Where each chosen tag goes."),
    ] = None
    mode: Annotated[
        Literal["NoForce", "Force"],
        Field(description="NoForce refuses, before any byte moves, where a target tag stands on another digest."),
    ] = "NoForce"
    platforms: Annotated[
        list[Annotated[str, Field(pattern=PLATFORM, max_length=64)]],
        Field(max_length=_PLATFORMS_AT_MOST, examples=[["linux/amd64", "linux/arm64/v8"]]),
        Field(description="Bring these platforms alone, as a smaller index with a digest of its own."),
    ] = []
    includeReferrers: Annotated[  # noqa: N815 (camel case as ACR)
        bool, Field(description="Bring signatures, SBOMs and attestations along.")
    ] = True
    artifactTypes: Annotated[  # noqa: N815 (camel case as ACR)
        list[Annotated[str, Field(min_length=1, max_length=255)]],
        Field(max_length=_TYPES_AT_MOST, description="Of the referrers, bring these types alone."),
    ] = []
    verify: Annotated[bool, Field(description="Ask the target about every part once more at the end.")] = False
    validateOnly: Annotated[  # noqa: N815 (camel case as ACR)
        bool, Field(description="Answer at once with what would be done, and do nothing.")
    ] = False
    backupTag: Annotated[  # noqa: N815 (camel case as ACR)
        _Text | None,
        Field(description="With Force: keep what a tag stood on under this tag.", examples=["{tag}-{digest8}"]),
    ] = None
    callbackUrl: Annotated[  # noqa: N815 (camel case as ACR)
        Annotated[str, Field(max_length=2_048)] | None,
        Field(
            examples=["https://example.com/transload"],
            description="Called when the import has ended, with a signed CloudEvent; sealed, and never shown whole.",
            json_schema_extra={"writeOnly": True},
        ),
    ] = None
    callbackOn: Annotated[  # noqa: N815 (camel case as ACR)
        Literal["all", "failure"], Field(description="Call after every end, or after a failure alone.")
    ] = "all"
    callbackChildren: Annotated[  # noqa: N815 (camel case as ACR)
        bool, Field(description="With a selection: call for each of its imports, too.")
    ] = False


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
        value = decode_json(body)
    except ValueError as error:
        raise InvalidRequestError(f"the body is not valid JSON: {printable(str(error), 120)}") from error
    if not isinstance(value, dict):
        raise InvalidRequestError("the body is not a JSON object")
    return value
