"""The signature gate on a registry that is only a script: what it reads, and that the plan is about what is signed."""

from collections.abc import Callable

import httpx
import pytest

from devtools.cosign_signatures import SigningKey, by_bundle, by_referrer, by_tag, payload_for, signed_payload, tag_of
from devtools.sample_images import SampleImage, image, multi_platform
from importcore.content import Manifest
from importcore.errors import RegistryError
from importcore.phases.cosign import fingerprint
from importcore.phases.plan import Plan
from importcore.phases.planning import make_plan
from importcore.phases.signature_gate import SignatureRequiredError, require_signatures
from importcore.reference import Reference
from importcore.request.model import ImportOptions
from tests.unit.registry.scripted import client_of, streamed
from tests.unit.registry.scripted_content import ContentScript

KEY, OTHER = SigningKey.new(), SigningKey.new()
APP = Reference.parse("registry.example/app:1")
WIDE = multi_platform([30], ["linux/amd64", "linux/arm64"])
ONE = ("linux/amd64",)


class SignedSource:
    """A registry with an image and signatures, whose blobs can be read.

    Attributes:
        read: How many blobs were.
    """

    def __init__(self, signed: SampleImage, *signatures: SampleImage, tag: str | None = None) -> None:
        self.script = ContentScript()
        self.script.push(signed, "1")
        self.blobs: dict[str, bytes] = {}
        self.read = 0
        for signature in signatures:
            self.script.push(signature, tag)
            self.blobs |= signature.blobs

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        name = request.url.path.rpartition("/")[2]
        if request.method == "GET" and "/blobs/" in request.url.path:
            self.read += 1
            return streamed(200, self.blobs[name]) if name in self.blobs else streamed(404)
        return self.script(request)

    async def plan(self, platforms: tuple[str, ...] = ()) -> Plan:
        """What an import would bring."""
        client, _ = client_of(self)
        return await make_plan(client, APP, ImportOptions(platforms=platforms))

    async def gate(self, plan: Plan, *keys: SigningKey, platforms: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Ask the gate."""
        client, _ = client_of(self)
        return await require_signatures(client, "app", plan, [[key.public for key in keys]], platforms)


@pytest.mark.parametrize("form", [by_tag, by_referrer, by_bundle])
async def test_each_form_opens_the_gate_for_its_key_alone(
    form: Callable[[SampleImage, SigningKey], SampleImage],
) -> None:
    """Under cosign's tag, in an artifact that refers to the image, and as a bundle."""
    signature = form(WIDE, KEY)
    source = SignedSource(WIDE, signature, tag=tag_of(WIDE.root) if form is by_tag else None)
    plan = await source.plan()

    assert await source.gate(plan, OTHER, KEY) == (fingerprint(KEY.public),)
    with pytest.raises(SignatureRequiredError, match="none of its 1 signatures"):
        await source.gate(plan, OTHER)


async def test_each_rule_wants_a_signature_of_its_own() -> None:
    """One of the keys of one rule does not stand for another rule."""
    source = SignedSource(WIDE, by_referrer(WIDE, KEY))
    client, _ = client_of(source)

    with pytest.raises(SignatureRequiredError):
        await require_signatures(client, "app", await source.plan(), [[KEY.public], [OTHER.public]])


async def test_a_payload_that_is_far_too_large_is_not_read() -> None:
    """A hundred of them are held at once."""
    payload = payload_for(WIDE.root).ljust(128 * 1024 + 1)
    source = SignedSource(WIDE, signed_payload(payload, KEY.sign(payload)), tag=tag_of(WIDE.root))

    with pytest.raises(SignatureRequiredError, match="it has no signature"):
        await source.gate(await source.plan(), KEY)
    assert source.read == 0


async def test_no_more_than_a_hundred_signatures_are_read() -> None:
    """Whoever may write to the source may put any number there."""
    others = [by_referrer(WIDE, SigningKey.new()) for _ in range(101)]
    source = SignedSource(WIDE, *others)

    with pytest.raises(SignatureRequiredError, match="none of its 100 signatures"):
        await source.gate(await source.plan(), KEY)


async def test_bytes_that_were_not_pushed_are_no_signature() -> None:
    """A source that serves another payload than its manifest names serves none."""
    signature = by_referrer(WIDE, KEY)
    source = SignedSource(WIDE, signature)
    plan = await source.plan()
    source.blobs = {name: blob.replace(b'"optional":null', b'"optional":  {}') for name, blob in source.blobs.items()}

    with pytest.raises((SignatureRequiredError, RegistryError)):
        await source.gate(plan, KEY)


async def test_a_choice_of_platforms_of_a_signed_index_passes() -> None:
    """The smaller index is this app's own work."""
    source = SignedSource(WIDE, by_referrer(WIDE, KEY))

    assert await source.gate(await source.plan(ONE), KEY, platforms=ONE)


@pytest.mark.parametrize("platforms", [(), ONE, ("linux/arm64",)])
async def test_a_kept_plan_that_was_not_made_from_what_is_signed_is_refused(platforms: tuple[str, ...]) -> None:
    """Whoever may write to storage can put another image beside the digest that is signed; the gate stays closed."""
    source = SignedSource(WIDE, by_referrer(WIDE, KEY))
    unsigned = image([b"unsigned"])
    media_type, raw = unsigned.manifests[unsigned.root]
    kept = Plan((Manifest.parse(raw, content_type=media_type),), source_digest=WIDE.root)

    with pytest.raises(SignatureRequiredError, match="was not made from it"):
        await source.gate(kept, KEY, platforms=platforms)
