"""Every bad input that was tried, and what it gets: the table at the end of docs/security.md.

`python -m tests.unit.hostile.bad_inputs` writes the table anew; a test holds the page to it.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from devtools.sample_images import digest
from importcore.descriptors import OCI_INDEX, OCI_MANIFEST, Descriptor
from importcore.documents.yaml_document import read_yaml
from importcore.errors import InvalidRequestError, Side, TransloadError
from importcore.hooks.payload import Delivery
from importcore.phases.planning import make_plan
from importcore.policy.document import PolicyDocument
from importcore.reference import Reference
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Anonymous
from importcore.registry.listing import list_repositories, list_tags
from importcore.request.model import ImportOptions, read_import_request
from importcore.sealing import Sealer
from importcore.state.message import ImportMessage
from tests.unit.registry.scripted import CHALLENGE, REGISTRY, URL, streamed

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
BEGIN, END = "<!-- bad inputs: begin -->\n", "<!-- bad inputs: end -->\n"
ZERO = "sha256:" + "0" * 64
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": ZERO, "size": 2}
_TOKENS = httpx.URL("https://auth.example/token")
Try = Callable[[], Awaitable[object]]
Answer = Callable[[httpx.Request], httpx.Response]
Ask = Callable[[RegistryClient], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class BadInput:
    """One input, and who might send it."""

    door: str
    what: str
    attempt: Try


def _client(answer: Answer, side: Side = Side.SOURCE) -> RegistryClient:
    """A client of a registry that is only a script, and answers at once."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return RegistryClient(http, RegistryAuth(http, REGISTRY, URL, Anonymous()), REGISTRY, URL, side)


def _request(what: str, body: bytes | dict[str, Any]) -> BadInput:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def attempt() -> object:
        return read_import_request(sent, default_target="here.azurecr.io")

    return BadInput("caller", what, attempt)


def _named(what: str, source: str, **more: object) -> BadInput:
    return _request(what, {"source": source, "target": "here.azurecr.io/a:1", **more})


REQUESTS = (
    _request("10 MB of JSON", b'{"source": "' + b"a" * 10_000_000 + b'"}'),
    _request("JSON 100,000 levels deep", b"[" * 100_000),
    _request("a field twice", b'{"source": "a", "source": "b"}'),
    _request("UTF-16", '{"source": "a"}'.encode("utf-16")),
    _request("`NaN`", b'{"source": NaN}'),
    _request("a field that nobody knows", {"source": "a", "admin": True}),
    _named("a repository that climbs: `../`", "quay.io/../../etc/passwd"),
    _named("the same, percent-encoded", "quay.io/%2e%2e/%2e%2e/etc/passwd"),
    _named("a line break in a tag", "quay.io/app:1\r\nX-Evil: 1"),
    _named("a query behind a tag", "quay.io/app:1?n=1&last=2"),
    _named("user information in a reference", "robot:secret@quay.io/app:1"),
    _named("a look-alike: Cyrillic letters in the host", "\u0434\u043eck\u0435r.io/library/alpine"),
    _named("a look-alike: the Kelvin sign for a k", "quay.io:443/app".replace("q", "\u212a")),
    _named("a look-alike: full-width letters in a repository", "quay.io/\uff41\uff50\uff50:1"),
    _named("a character that turns the reading direction", "quay.io/app\u202e:1"),
    _named("half a character", "quay.io/app:\ud800"),
    _named("a NUL", "quay.io/app\x00:1"),
    _named("a digest by MD5", "quay.io/app@md5:" + "0" * 32),
    _named("a digest in capitals", "quay.io/app@sha256:" + "A" * 64),
    _named("a port that there is none of", "quay.io:99999/app:1"),
    _request("a name of 5,000 characters", {"source": "quay.io/" + "a" * 5_000, "targetTags": ["a:1"]}),
    _request("101 target tags", {"source": "a", "targetTags": [f"a:{n}" for n in range(101)]}),
    _named("a callback with a password in its URL", "quay.io/app:1", callbackUrl="https://u:p@hook.example/"),
    _named("a callback to a file", "quay.io/app:1", callbackUrl="file:///etc/passwd"),
)


def _manifest(what: str, body: bytes | dict[str, Any], *, expected: str | None = None, **headers: str) -> BadInput:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content_Type": OCI_MANIFEST, **headers}

    async def attempt() -> object:
        client = _client(lambda _: streamed(200, raw, **headers))
        return await client.get_manifest("app", expected or digest(raw))

    return BadInput("source", what, attempt)


def _image(what: str, layer: dict[str, Any], **more: object) -> BadInput:
    body = {"mediaType": OCI_MANIFEST, "config": CONFIG, "layers": [{**CONFIG, **layer}], **more}
    return _manifest(f"a manifest with {what}", body)


_WIDE = json.dumps({"mediaType": OCI_INDEX, "manifests": [{**CONFIG, "mediaType": OCI_MANIFEST}] * 20_000})
MANIFESTS = (
    _manifest("a manifest of 5 MiB", b" " * (5 << 20)),
    _manifest("a manifest 100,000 levels deep", b"[" * 100_000),
    _manifest("a manifest with a field twice", b'{"layers": [], "layers": []}'),
    _manifest("a manifest with a field in other letters: `Layers`", {"mediaType": OCI_MANIFEST, "Layers": []}),
    _manifest("the same with a long s: `layer\u017f`", {"mediaType": OCI_MANIFEST, "layer\u017f": []}),
    _manifest("an index and an image at once", {"mediaType": OCI_INDEX, "manifests": [], "layers": []}),
    _manifest("an index by its type, an image by its layers", {"mediaType": OCI_INDEX, "layers": [CONFIG]}),
    _manifest("schema 1 beside a later kind", {"mediaType": OCI_INDEX, "manifests": [], "fsLayers": []}),
    _manifest("a manifest 101 levels deep", b"[" * 101 + b"]" * 101),
    _manifest("a manifest in UTF-16", "{}".encode("utf-16")),
    _manifest("a manifest that was compressed", b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
    _manifest("other bytes than were asked for (a cycle would be so)", {"layers": []}, expected=ZERO),
    _manifest("a manifest of a kind that nobody knows", {"mediaType": "application/x-evil"}),
    _manifest("a Docker schema 1 manifest", {"schemaVersion": 1, "fsLayers": []}),
    _image("a layer of -1 bytes", {"size": -1}),
    _image("a layer of 2^63 bytes", {"size": 2**63}),
    _image("a layer of 1.5 bytes", {"size": 1.5}),
    _image("a layer by SHA-1", {"digest": "sha1:" + "0" * 40}),
    _image("a layer whose digest climbs", {"digest": "sha256:../../" + "0" * 58}),
    _image("a layer whose size stands twice, once as `Size`", {"Size": 3}),
    _image("a list of URLs that is none", {"urls": "https://10.0.0.1/"}),
    _image("a subject that is no descriptor", {}, subject=[]),
)


def _index(what: str, *levels: list[dict[str, Any]]) -> BadInput:
    """Levels of an index, outermost last; each gets the digest of the one before as its only further entry."""
    stored: dict[str, bytes] = {}
    below, root = list[dict[str, Any]](), ""
    for entries in levels:
        raw = json.dumps({"mediaType": OCI_INDEX, "manifests": [*entries, *below]}).encode()
        root = digest(raw)
        stored[root] = raw
        below = [{"mediaType": OCI_INDEX, "digest": root, "size": len(raw)}]

    async def attempt() -> object:
        def answer(request: httpx.Request) -> httpx.Response:
            return streamed(200, stored[request.url.path.rpartition("/")[2]], Content_Type=OCI_INDEX)

        wanted = Reference("registry.example", "app", digest=root)
        return await make_plan(_client(answer), wanted, ImportOptions(referrers=False))

    return BadInput("source", what, attempt)


def _entry(number: int) -> dict[str, Any]:
    return {"mediaType": OCI_MANIFEST, "digest": f"sha256:{number:064x}", "size": 2}


INDEXES = (
    _index("indexes nested nine deep", *[[] for _ in range(9)]),
    _index("an index of 20,001 manifests", [_entry(number) for number in range(20_001)]),
)


def _blob(what: str, *pieces: bytes, status: int = 200, **headers: str) -> BadInput:
    blob = Descriptor("application/octet-stream", ZERO, 4)

    async def attempt() -> object:
        client = _client(lambda _: streamed(status, *pieces, **headers))
        async with client.open_blob("app", blob) as reader:
            return [piece async for piece in reader]

    return BadInput("source", what, attempt)


BLOBS = (
    _blob("a layer longer than its descriptor says", b"12345"),
    _blob("a layer shorter than its descriptor says", b"123"),
    _blob("a layer with a lying Content-Length", b"1234", Content_Length="5"),
    _blob("a range that was not asked for", b"1234", status=206, Content_Range="bytes 9-12/13"),
)


def _answer(what: str, answer: Answer, ask: Ask, door: str = "source") -> BadInput:
    async def attempt() -> object:
        return await ask(_client(answer, Side.TARGET if door == "target" else Side.SOURCE))

    return BadInput(door, what, attempt)


def _tokens(what: str, token: bytes | dict[str, Any], **headers: str) -> BadInput:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host != _TOKENS.host:
            return httpx.Response(401, headers={**CHALLENGE, **headers})
        return streamed(200, token if isinstance(token, bytes) else json.dumps(token).encode())

    return _answer(what, answer, lambda client: client.head_manifest("app", "1"))


def _challenge(what: str, text: str) -> BadInput:
    return _tokens(f"a challenge with {what}", {"token": "t"}, **{"WWW-Authenticate": text})


def _listed(what: str, answer: Answer, *, catalog: bool = False) -> BadInput:
    return _answer(what, answer, list_repositories if catalog else lambda client: list_tags(client, "app"))


ANSWERS = (
    _challenge("one word of a million letters", "Bearer " + "a" * 1_000_000 + "("),
    _challenge("a realm that is no URL", 'Bearer realm="https://[::1"'),
    _challenge("a realm without TLS", 'Bearer realm="http://auth.example/token"'),
    _tokens("a token with a line break", {"token": "a\r\nX-Evil: 1"}),
    _tokens("a token that is no text", {"token": {"a": 1}}),
    _tokens("a token service that answers 1 MB", b'{"token": "' + b"a" * 1_000_000 + b'"}'),
    _listed("a list of tags without end", lambda _: streamed(200, b" " * (5 << 20))),
    _listed("a list of tags 100,000 levels deep", lambda _: streamed(200, b"[" * 100_000)),
    _listed("a page that links to itself", lambda _: streamed(200, b"{}", Link='</v2/>; rel="next"')),
    _listed("a page that links to no URL", lambda _: streamed(200, b"{}", Link='<https://a:port/>; rel="next"')),
    _listed("tags that are none: `../x`, `a b`, 5", lambda _: streamed(200, b'{"tags": ["../x", "a b", 5]}')),
    _listed(
        "repositories that climb, and one that does not",
        lambda _: streamed(200, b'{"repositories": ["../../x", "ok", "UPPER"]}'),
        catalog=True,
    ),
    _answer(
        "a redirect without end",
        lambda request: streamed(307, Location=str(request.url)),
        lambda client: client.get_manifest("app", "1"),
    ),
    _answer(
        "a Location that is no URL",
        lambda _: streamed(202, Location="https://a:port/"),
        lambda client: client.start_upload("app", ZERO),
        "target",
    ),
    _answer("no Location", lambda _: streamed(202), lambda client: client.start_upload("app", ZERO), "target"),
)


def _message(what: str, body: bytes) -> BadInput:
    async def attempt() -> object:
        return ImportMessage.decode(body, Sealer((("k", b"k" * 32),)))

    return BadInput("queue", what, attempt)


def _policy(what: str, text: str) -> BadInput:
    async def attempt() -> object:
        return read_yaml(text, PolicyDocument, name="policy")

    return BadInput("operator", what, attempt)


def _event(what: str, body: bytes) -> BadInput:
    async def attempt() -> object:
        return Delivery(body).payload()

    return BadInput("hook", what, attempt)


_BOMB = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(30))
DOCUMENTS = (
    _message("no JSON", b"\xff\xfe"),
    _message("JSON 100,000 levels deep", b"[" * 100_000),
    _message("a message of a later version", b'{"v": 99, "importId": "ybqt8gvxkgq6b9h94mj"}'),
    _policy("aliases that grow", _BOMB),
    _policy("a key twice", "version: 1\nversion: 2\n"),
    _policy("a tag that makes an object", "version: !!python/object/apply:os.system [ls]\n"),
    _policy("a list nested 100 deep", "version: " + "[" * 100 + "]" * 100),
    _policy("a misspelt restriction", "version: 1\nalow: []\n"),
    _event("no JSON", b"{"),
    _event("JSON 100,000 levels deep", b"[" * 100_000),
    _event("a field twice", b'{"a": 1, "a": 2}'),
)

ALL = (*REQUESTS, *MANIFESTS, *INDEXES, *BLOBS, *ANSWERS, *DOCUMENTS)
_SHOWN_AT_MOST = 150
_LONG = re.compile(r"(?<=:)[0-9A-Fa-f/.]{32,}")


async def outcome(bad: BadInput) -> str:
    """What it gets: the error's code and message, or what was made of it."""
    try:
        found = await bad.attempt()
    except InvalidRequestError as error:
        first = error.problems[0].message if error.problems else ""
        said = error.message if not first or first in error.message else f"{error.message}: {first}"
        return f"`{error.code}` {_cell(said)}"
    except TransloadError as error:
        return f"`{error.code}` {_cell(error.message)}"
    return f"taken as `{_cell(repr(found))}`"


def _cell(text: str) -> str:
    text = _LONG.sub("…", text).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= _SHOWN_AT_MOST else text[: _SHOWN_AT_MOST - 1] + "…"


async def table() -> str:
    """The whole table, in Markdown."""
    rows = [f"| {bad.door} | {bad.what} | {await outcome(bad)} |\n" for bad in ALL]
    return "| from | input | what it gets |\n|---|---|---|\n" + "".join(rows)


def page_with(text: str) -> str:
    """The page with this table in it."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + text + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page_with(asyncio.run(table())))
