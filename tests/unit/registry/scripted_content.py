"""A registry that is only a script and holds content: manifests, tags, blobs, and the lists that are kept of them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from devtools.sample_images import SampleImage, digest
from importcore.content import Manifest
from tests.unit.registry.scripted import streamed

_PATH = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs|referrers|tags)/(?P<reference>[^/]+)")


def read(image: SampleImage, of: str | None = None) -> Manifest:
    """One manifest of a sample image as the product reads it; its root, unless another digest is named."""
    media_type, raw = image.manifests[of or image.root]
    return Manifest.parse(raw, content_type=media_type)


@dataclass
class Shelf:
    """What one repository holds: manifests by digest, tags, and the sizes of blobs by digest."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)

    def referrers(self, subject: str) -> Iterator[dict[str, object]]:
        """What a registry with the referrers API lists for a subject."""
        for name, (media_type, raw) in self.manifests.items():
            if (json.loads(raw).get("subject") or {}).get("digest") == subject:
                yield {"mediaType": media_type, "digest": name, "size": len(raw)}


class ContentScript:
    """Answers from its shelves, one for each repository; takes what is put there.

    Attributes:
        asked: The requests, as method and path behind `/v2/`.
        put: The references under which manifests were put, in order.
    """

    def __init__(self, *, referrers_api: bool = True) -> None:
        self._referrers_api = referrers_api
        self.shelves: defaultdict[str, Shelf] = defaultdict(Shelf)
        self.asked: list[str] = []
        self.put: list[str] = []

    def push(self, image: SampleImage, tag: str | None = None, repository: str = "app") -> None:
        """Put an image on a shelf, whole, and a tag on its root."""
        shelf = self.shelves[repository]
        shelf.manifests |= image.manifests
        shelf.blobs |= {name: len(blob) for name, blob in image.blobs.items()}
        if tag:
            shelf.tags[tag] = image.root

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(f"{request.method} {request.url.path.removeprefix('/v2/')}")
        found = _PATH.fullmatch(request.url.path)
        if found is None:
            return streamed(404)
        shelf, reference = self.shelves[found["repository"]], found["reference"]
        if found["kind"] == "tags":
            return httpx.Response(200, json={"name": found["repository"], "tags": sorted(shelf.tags) or None})
        if found["kind"] == "blobs":
            size = shelf.blobs.get(reference)
            return streamed(404) if size is None else streamed(200, Content_Length=str(size))
        if found["kind"] == "referrers":
            if not self._referrers_api:
                return streamed(404)
            return httpx.Response(200, json={"manifests": list(shelf.referrers(reference))})
        return self._manifest(request, shelf, reference)

    def _manifest(self, request: httpx.Request, shelf: Shelf, reference: str) -> httpx.Response:
        if request.method == "PUT":
            name = digest(request.content)
            shelf.manifests[name] = request.headers["content-type"], request.content
            self.put.append(reference)
            if reference != name:
                shelf.tags[reference] = name
            return streamed(201, Docker_Content_Digest=name)
        name = shelf.tags.get(reference, reference)
        if name not in shelf.manifests:
            return streamed(404)
        media_type, raw = shelf.manifests[name]
        body = raw if request.method == "GET" else b""
        return streamed(200, body, Content_Type=media_type, Docker_Content_Digest=name)
