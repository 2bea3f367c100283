"""What cannot be meant together in one request; nothing of it is ignored silently.

Looks at the raw body, so that a contradiction is said along with every field that is wrong by itself.
"""

from typing import Any

from importcore.backup_tag import fill_in
from importcore.errors import FieldProblem, InvalidReferenceError
from importcore.reference import is_tag, normal_registry

_SAMPLE_DIGEST = "sha256:" + 64 * "0"


def contradictions(value: dict[str, Any]) -> list[FieldProblem]:
    """Name every contradiction in a decoded body."""
    source = value.get("source")
    return [
        *_between_targets(value),
        *_between_options(value),
        *(_inside_source(source) if isinstance(source, dict) else []),
    ]


def _problem(target: str, message: str, code: str = "contradiction") -> FieldProblem:
    return FieldProblem(code, message, target)


def _between_targets(value: dict[str, Any]) -> list[FieldProblem]:
    if value.get("target") is None:
        return []
    others = ("targetRegistry", "targetTags", "untaggedTargetRepositories")
    message = "cannot stand beside `target`, which already says where to import to"
    return [_problem(other, message) for other in others if value.get(other)]


def _between_options(value: dict[str, Any]) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    if value.get("artifactTypes") and value.get("includeReferrers") is False:
        message = "cannot stand beside `includeReferrers: false`: there is nothing to choose from"
        found.append(_problem("artifactTypes", message))
    template = value.get("backupTag")
    if isinstance(template, str):
        if value.get("mode") != "Force":
            found.append(_problem("backupTag", "needs `mode: Force`; without it no tag is overwritten"))
        if "{digest8}" not in template or not is_tag(fill_in(template, "tag", _SAMPLE_DIGEST)):
            message = "must be a tag with {digest8} in it, and may have {tag}; for example {tag}-{digest8}"
            found.append(_problem("backupTag", message, "invalid_value"))
    return found


def _inside_source(source: dict[str, Any]) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    registry, image, credentials = source.get("registryUri"), source.get("sourceImage"), source.get("credentials")
    if source.get("resourceId") is not None:
        if registry is not None:
            message = "cannot stand beside `registryUri`: both name the source registry"
            found.append(_problem("source.resourceId", message))
        if credentials is not None:
            message = "cannot stand beside `resourceId`, which is read with this app's identity"
            found.append(_problem("source.credentials", message))
        message = "is not supported in this version; name the registry's login server in `registryUri` instead"
        found.append(_problem("source.resourceId", message, "not_supported"))
    if isinstance(registry, str) and isinstance(image, str) and _repeats(registry, image):
        message = "repeats the registry that `registryUri` already names; write the repository alone"
        found.append(_problem("source.sourceImage", message))
    return found


def _repeats(registry: str, image: str) -> bool:
    """Whether the image begins with the registry, in whatever spelling."""
    first, slash, _ = image.partition("/")
    try:
        return bool(slash) and normal_registry(first) == normal_registry(registry)
    except InvalidReferenceError:
        return False
