"""Everything that is parsed from outside, thousands of times: it is read, or refused by an error of the tree.

Samples that are right, with a few edits, reach further into a parser than noise does. `make fuzz` tries far more.
"""

import json
import string
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.cosign_signatures import SigningKey
from devtools.sample_images import image, layer, multi_platform
from importcore.content import Manifest
from importcore.documents.yaml_document import read_yaml
from importcore.errors import Side, TransloadError, UnsafeUrlError
from importcore.hooks.payload import Delivery
from importcore.hooks.senders import SENDERS
from importcore.phases.cosign import signer_of_bundle, signer_of_payload
from importcore.phases.plan import Plan
from importcore.phases.platforms import select_platforms
from importcore.policy.document import PolicyDocument
from importcore.reference import Reference
from importcore.registry.answers import error_for
from importcore.registry.auth import RegistryAuth
from importcore.registry.blob import BlobReader
from importcore.registry.challenge import parse_challenges
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Anonymous
from importcore.registry.listing import _next_page
from importcore.registry.origin import OriginGate
from importcore.registry.tokens import claims_of, lacking
from importcore.registry.transport import retry_after
from importcore.request.model import read_import_request
from importcore.rules.document import RulesDocument
from importcore.sealing import Sealer
from importcore.settings.model import HostSettings
from importcore.state.checkpoint import Checkpoint, UploadState
from importcore.state.message import Handover, ImportMessage
from tests.unit.hooks.hook_samples import EVERY
from tests.unit.registry.scripted import REGISTRY, URL, jwt

_TIMES = 10  # a thousand of each in every run of the tests, thirty thousand with `make fuzz`
thoroughly = settings(max_examples=_TIMES * settings().max_examples)

DIGEST = "sha256:" + "0" * 64
KEYS = (SigningKey.new().public,)
IMPORT_ID = "0123456789abcdefghj"
SEALER = Sealer((("k1", b"k" * 32),))
GATE = OriginGate(lambda _: HostSettings(), ("localhost:42356",))
HTTP = httpx.AsyncClient()
CLIENT = RegistryClient(HTTP, RegistryAuth(HTTP, REGISTRY, URL, Anonymous()), REGISTRY, URL, Side.SOURCE)
ODD = ["\0", "\r\n", "\u212a", "\u017f", "\ud800", "..", "//", "@", "%2e", "[", "{}", "null", "-1", "1e999", "\\", '"']
EDITS = st.text(max_size=6) | st.sampled_from([*ODD, "9" * 40])


@st.composite
def edited(draw: st.DrawFn, samples: list[str]) -> str:
    """One of the samples with up to four edits: something put in, or something put in place of a piece."""
    text = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(EDITS) + text[at + draw(st.integers(0, 5)) :]
    return text


def edited_bytes(samples: list[str]) -> st.SearchStrategy[bytes]:
    """The same as bytes, as they would come; halves of characters are bytes that no text has."""
    return edited(samples).map(lambda text: text.encode("utf-8", "surrogatepass"))


def require_read_or_refused(read: Callable[[], object]) -> None:
    """No other exception, and a message that can be shown."""
    try:
        read()
    except TransloadError as error:
        error.message.encode()
        assert error.message.isprintable()  # noqa: PT017 (both outcomes are right)


REFERENCES = ["docker.io/library/alpine:3.20", f"quay.io:443/a/b-c_d.e@{DIGEST}", "[fd00::5]:5000/app:1", "localhost/x"]
CHALLENGES = [
    'Bearer realm="https://auth.example/token",service="r.example",scope="repository:a:pull,push"',
    'Basic realm="a \\"b\\" c", Negotiate YII=, Bearer realm=x',
]
LINKS = ['</v2/_catalog?last=b&n=1>; rel="next"', '<https://x.example/y>; title="a,b"; rel="last next", </z>; rel=prev']
LOCATIONS = [
    "/v2/a/blobs/uploads/u-1?_state=abc%3D&x=1",
    "https://r.example:444/v2/a/blobs/uploads/u-1?_state=abc",
    "//10.0.0.1/x",
    "http://[::ffff:169.254.169.254]/x",
]


@thoroughly
@given(edited(REFERENCES))
def test_references(text: str) -> None:
    """A reference that is read writes itself down again."""
    require_read_or_refused(lambda: Reference.parse(str(Reference.parse(text))))


@thoroughly
@given(st.lists(edited(CHALLENGES), max_size=3))
def test_challenges(headers: list[str]) -> None:
    """Every challenge has a scheme of one word."""
    for challenge in parse_challenges(headers):
        assert challenge.scheme
        assert not set(challenge.scheme) & set(string.whitespace + ',="')
        assert isinstance(challenge.scopes, tuple)


def _response(status: int = 200, **headers: str) -> httpx.Response:
    named = [(name.replace("_", "-").encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    return httpx.Response(status, headers=named, request=httpx.Request("GET", URL))


@thoroughly
@given(edited(LINKS), edited(LOCATIONS))
def test_links_and_locations(link: str, location: str) -> None:
    """Both become URLs, which the gate judges, or an error."""
    onward = _next_page(_response(Link=link))
    for text in (location, onward):
        if text is not None:
            require_read_or_refused(lambda text=text: GATE.check(CLIENT.resolve(text)))  # type: ignore[misc]


@thoroughly
@given(edited(["https://127.0.0.1/", "https://0x7f.1:443/", "https://[fd00::1]/", "https://169.254.169.254./latest"]))
def test_the_gate(text: str) -> None:
    """Whatever an edit makes of a private address: it passes only as another host."""
    try:
        url = httpx.URL(text)
        GATE.check(url)
    except (httpx.InvalidURL, UnsafeUrlError, UnicodeError):
        return
    assert url.scheme == "https"
    assert url.host not in {"127.0.0.1", "169.254.169.254", "fd00::1"}


MANIFESTS = [
    raw.decode()
    for sample in (image([layer(10)]), multi_platform([10], ["linux/amd64", "linux/arm64"]))
    for _, raw in sample.manifests.values()
]


@thoroughly
@given(edited_bytes(MANIFESTS))
def test_manifests_and_their_platforms(raw: bytes) -> None:
    """A manifest, and the smaller index that is made of it."""
    require_read_or_refused(lambda: select_platforms(Manifest.parse(raw), ("linux/amd64",)))


UPLOAD = UploadState(DIGEST, "app", "https://r.example/up?_state=x", 5)
PLAN = Plan((Manifest.parse(MANIFESTS[0].encode()),)).encode().decode()
MESSAGE = ImportMessage(IMPORT_ID, Handover.HELD, 2, Checkpoint((UPLOAD,))).encode(SEALER)


@thoroughly
@given(edited_bytes([MESSAGE]), edited_bytes([PLAN]))
def test_messages_and_plans(message: bytes, plan: bytes) -> None:
    """What lies in storage, altered."""
    require_read_or_refused(lambda: ImportMessage.decode(message, SEALER))
    require_read_or_refused(lambda: Plan.decode(plan))


@thoroughly
@given(edited([f'[["{DIGEST}","app","https://r.example/up",5]]', "[]"]))
def test_checkpoints(rows: str) -> None:
    """Even one that was sealed by somebody who holds the key."""
    sealed = SEALER.seal(rows.encode("utf-8", "surrogatepass"), IMPORT_ID)
    body = json.dumps({**json.loads(MESSAGE), "checkpoint": {"v": 1, "uploads": sealed}}).encode()
    require_read_or_refused(lambda: ImportMessage.decode(body, SEALER))


POLICY = """version: 1
allow: [{from: ["docker.io"], to: ["here.azurecr.io/**"]}]
callers:
  - name: a
    who: [function-key, "role:X"]
    import: [{from: ["**"]}]
    limits: {bytes: 1, inFlight: 2}
"""
RULES = """version: 1
rules:
- name: nightly
  on: {registry: docker.io, repository: "team/**", tag: {semver: ">=1"}, events: push}
  to: "here.azurecr.io/{registry}/{name}:{tag}"
"""


@thoroughly
@given(edited([POLICY]), edited([RULES]))
def test_policies_and_rules(policy: str, rules: str) -> None:
    """The operator's documents."""
    require_read_or_refused(lambda: read_yaml(policy, PolicyDocument, name="policy"))
    require_read_or_refused(lambda: read_yaml(rules, RulesDocument, name="rules"))


SOURCE = {"registryUri": "quay.io", "sourceImage": "a/b:1", "credentials": {"username": "u", "password": "p"}}
MORE = {"targetTags": ["a:1"], "mode": "Force", "platforms": ["linux/amd64"], "backupTag": "{tag}-{digest8}"}
CHOSEN = {"repositories": ["a/*"], "targetTemplate": "m/{repository}:{tag}", "tags": {"semver": ">=1 <2", "newest": 3}}
REQUESTS = [
    '{"source": "docker.io/library/alpine:3", "target": "here.azurecr.io/a:1", "callbackUrl": "https://x.y/z"}',
    json.dumps({"source": SOURCE, **MORE}),
    json.dumps({"source": {"registryUri": "quay.io"}, **CHOSEN}),
]


@thoroughly
@given(edited_bytes(REQUESTS))
def test_requests(body: bytes) -> None:
    """What callers send."""
    require_read_or_refused(lambda: read_import_request(body, default_target="here.azurecr.io"))


@thoroughly
@given(sample=st.sampled_from(EVERY), data=st.data())
def test_hooks(sample: Any, data: st.DataObject) -> None:  # noqa: ANN401 (a sample of a sender)
    """What senders of webhooks send, and every other kind's reader of it."""
    body = data.draw(edited_bytes([sample.body.decode()]))
    kind = data.draw(st.sampled_from([sample.kind, *sorted(SENDERS)]))
    headers: Mapping[str, str] = {"content-type": "application/json", **sample.headers}
    require_read_or_refused(lambda: SENDERS[kind].read(Delivery(body, headers, sample.registry)))


@thoroughly
@given(edited(['{"errors": [{"code": "DENIED", "message": "no"}]}']), edited(["120", "Wed, 21 Oct 2099 07:28:00 GMT"]))
def test_errors_and_their_pauses(body: str, pause: str) -> None:
    """What a registry says when it refuses."""
    response = _response(429, Retry_After=pause)
    found = error_for(response, body.encode("utf-8", "surrogatepass"), registry="r", step="ask")
    assert found.message.isprintable()
    waited = retry_after(response)
    assert waited is None or 0 <= waited <= 86_400


@thoroughly
@given(
    st.sampled_from([200, 206]), edited(["bytes 0-9/10", "bytes 3-9/*"]), edited(["10"]), st.integers(0, 10)
)  # fmt: skip
def test_ranges(status: int, content_range: str, length: str, offset: int) -> None:
    """Where a blob begins."""
    blob = Manifest.parse(MANIFESTS[0].encode()).blobs[0]
    response = _response(status, Content_Range=content_range, Content_Length=length)
    require_read_or_refused(lambda: BlobReader(response, blob, offset, registry="r", reference="a"))


@thoroughly
@given(edited([jwt(exp=1, access=[{"type": "repository", "name": "a", "actions": ["pull"]}])]))
def test_tokens(token: str) -> None:
    """What a token says of itself is only ever read."""
    assert isinstance(claims_of(token), dict)
    assert all(isinstance(each, str) for each in lacking(token, ("repository:a:pull,push",)))


IMAGE_SIGNED = {"type": "cosign container image signature", "image": {"docker-manifest-digest": DIGEST}}
STATEMENT = json.dumps({"critical": IMAGE_SIGNED})
ENVELOPE = {"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [{"sig": "MAA="}]}
BUNDLE = json.dumps({"dsseEnvelope": ENVELOPE})


@thoroughly
@given(edited_bytes([STATEMENT]), edited_bytes([BUNDLE]), edited(["MEUCIQD=", "e30="]))
def test_signatures(payload: bytes, bundle: bytes, signature: str) -> None:
    """Nothing that was not signed is."""
    assert signer_of_payload(payload, signature, DIGEST, KEYS) is None
    assert signer_of_bundle(bundle, DIGEST, KEYS) is None
