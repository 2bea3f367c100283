"""Manifests: HEAD, GET, PUT, DELETE by tag and by digest (OCI distribution spec 1.1, "Pulling/Pushing manifests")."""

from starlette.requests import Request
from starlette.responses import Response

from devtools.emulator.access import Access
from devtools.emulator.announcements import Announcements
from devtools.emulator.catalog import Catalog, StoredManifest
from devtools.emulator.config import EmulatorConfig
from devtools.emulator.grammar import algorithm_of, digest_of, is_digest, is_tag
from devtools.emulator.manifest_rules import LARGEST_MANIFEST, OCI_INDEX, OCI_MANIFEST, JudgedManifest, judge_manifest
from devtools.emulator.refusal import RefusalError
from devtools.emulator.registry_events import RegistryEvent

_NOT_ACCEPTED = {
    OCI_MANIFEST: "OCI manifest found, but accept header does not support OCI manifests",
    OCI_INDEX: "OCI index found, but accept header does not support OCI indexes",
}


class ManifestEndpoints:
    """The endpoint `/v2/{name}/manifests/{reference}`."""

    def __init__(self, config: EmulatorConfig, catalog: Catalog, access: Access, announcements: Announcements) -> None:
        self._announcements = announcements
        self._config = config
        self._catalog = catalog
        self._access = access

    async def read(self, request: Request) -> Response:
        """GET and HEAD. An OCI type that the Accept header does not name is answered 404, as distribution does."""
        repository, reference = self._named(request, "pull")
        digest = reference if is_digest(reference) else self._catalog.tag(repository, reference)
        manifest = self._catalog.manifest(repository, digest) if digest else None
        if manifest is None:
            by_digest = {"Name": repository, "Revision": reference}
            raise RefusalError("MANIFEST_UNKNOWN", by_digest if is_digest(reference) else {"Tag": reference})
        if manifest.media_type in _NOT_ACCEPTED and manifest.media_type not in _accepted(request):
            raise RefusalError("MANIFEST_UNKNOWN", message=_NOT_ACCEPTED[manifest.media_type])
        headers = {"Docker-Content-Digest": manifest.digest, "ETag": f'"{manifest.digest}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        headers |= {"Content-Type": manifest.media_type, "Content-Length": str(len(manifest.body))}
        return Response(b"" if request.method == "HEAD" else manifest.body, headers=headers)

    async def put(self, request: Request) -> Response:
        """PUT: judge, look for what it refers to, keep the bytes, move the tag (201)."""
        repository, reference = self._named(request, "pull", "push")
        body = await _bounded_body(request)
        judged = judge_manifest(body, request.headers.get("content-type", ""))
        digest = digest_of(body, algorithm_of(reference) if is_digest(reference) else "sha256")
        if is_digest(reference) and reference != digest:
            raise RefusalError("DIGEST_INVALID")
        self._refuse_missing(repository, judged)
        if self._catalog.is_locked(repository, reference):
            raise RefusalError("REGISTRY_DISALLOWED_OPERATION", {})
        stored = StoredManifest(
            digest, judged.media_type, body, judged.subject, judged.artifact_type, judged.annotations
        )
        self._catalog.put_manifest(repository, stored)
        if not is_digest(reference):
            self._catalog.put_tag(repository, reference, digest)
        self._announcements.tell(
            _event(request, "push", repository, stored, None if is_digest(reference) else reference)
        )
        headers = {"Location": f"/v2/{repository}/manifests/{digest}", "Docker-Content-Digest": digest}
        if judged.subject and self._config.referrers:
            headers["OCI-Subject"] = judged.subject
        return Response(status_code=201, headers=headers)

    async def delete(self, request: Request) -> Response:
        """DELETE: a tag alone, or a manifest with its tags and the graph of its referrers (202)."""
        repository, reference = self._named(request, "delete")
        locked = (
            self._catalog.has_locked_tag(repository, reference)
            if is_digest(reference)
            else self._catalog.is_locked(repository, reference)
        )
        if locked:
            raise RefusalError("REGISTRY_DISALLOWED_OPERATION", {})
        if is_digest(reference):
            manifest = self._catalog.manifest(repository, reference)
            removed = self._remove_graph(repository, reference)
            if manifest is not None:  # ACR tells of manifests alone, not of tags that are taken away
                self._announcements.tell(_event(request, "delete", repository, manifest, None))
        else:
            removed = self._catalog.remove_tag(repository, reference)
        if not removed:
            raise RefusalError("MANIFEST_UNKNOWN")
        return Response(status_code=202)

    def _remove_graph(self, repository: str, digest: str) -> bool:
        """Remove a manifest and, as ACR does, its signatures, their SBOMs and so on (acr-docs, manage-artifact)."""
        waiting, found = [digest], self._catalog.manifest(repository, digest) is not None
        while waiting and found:
            current = waiting.pop()
            self._catalog.remove_manifest(repository, current)
            waiting += [referrer.digest for referrer in self._catalog.referrers(repository, current)]
        return found

    def _refuse_missing(self, repository: str, judged: JudgedManifest) -> None:
        missing_blobs = [d for d in judged.blobs if not self._catalog.holds_blob(repository, d)]
        missing_children = [d for d in judged.children if self._catalog.manifest(repository, d) is None]
        if missing_blobs or missing_children:
            raise RefusalError("MANIFEST_BLOB_UNKNOWN", each=(*missing_blobs, *missing_children))

    def _named(self, request: Request, *actions: str) -> tuple[str, str]:
        repository, reference = request.path_params["name"], request.path_params["reference"]
        self._access.require(request, repository, *actions)
        if ":" in reference and not is_digest(reference):
            raise RefusalError("DIGEST_INVALID")
        if not is_digest(reference) and not is_tag(reference):
            raise RefusalError("TAG_INVALID", status=404)  # distribution's routes do not match such a tag at all
        return repository, reference


def _event(request: Request, action: str, repository: str, manifest: StoredManifest, tag: str | None) -> RegistryEvent:
    return RegistryEvent(
        action=action,
        repository=repository,
        digest=manifest.digest,
        media_type=manifest.media_type,
        size=len(manifest.body),
        tag=tag,
        host=request.headers.get("host", ""),
        user_agent=request.headers.get("user-agent", ""),
    )


def _accepted(request: Request) -> set[str]:
    """The media types that the request names; `*/*` names none (distribution, handlers/manifests.go)."""
    values = ",".join(request.headers.getlist("accept")).split(",")
    return {value.partition(";")[0].strip() for value in values}


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        if len(body) <= LARGEST_MANIFEST:
            body += piece
    if len(body) > LARGEST_MANIFEST:
        raise RefusalError("MANIFEST_INVALID", "the manifest is larger than 4 MiB", status=413)
    return bytes(body)
