"""What cannot be meant together in one request; nothing of it is ignored silently.

Looks at the raw body, so that a contradiction is said along with every field that is wrong by itself.
"""

from typing import Any

from importcore.errors import FieldProblem, InvalidReferenceError, printable
from importcore.reference import is_tag, normal_registry
from importcore.request.backup_tag import backup_tag_problem
from importcore.request.selection_body import selects
from importcore.settings.clouds import cloud_of_registry


def contradictions(value: dict[str, Any]) -> list[FieldProblem]:
    """Name every contradiction in a decoded body."""
    source = value.get("source")
    return [
        *_between_targets(value),
        *_between_options(value),
        *_around_selection(value),
        *(_inside_source(source) if isinstance(source, dict) else []),
        *(_resource_id_of_many(value, source) if isinstance(source, dict) else []),
    ]


def _problem(target: str, message: str, code: str = "contradiction") -> FieldProblem:
    return FieldProblem(code, message, target)


def _between_targets(value: dict[str, Any]) -> list[FieldProblem]:
    if value.get("target") is None:
        return []
    others = ("targetRegistry", "targetTags", "untaggedTargetRepositories")
    message = "cannot stand beside `target`, which already says where to import to"
    return [_problem(other, message) for other in others if value.get(other)]


def _around_selection(value: dict[str, Any]) -> list[FieldProblem]:
    source, repositories = value.get("source"), value.get("repositories")
    found: list[FieldProblem] = []
    if isinstance(source, dict) and repositories is None and source.get("sourceImage") is None:
        found.append(_problem("source.sourceImage", "is required", "missing_field"))
    if value.get("targetTemplate") is not None and not selects(value):
        found.append(_problem("targetTemplate", "needs a selection: `tags` or `repositories`"))
    return found


def _between_options(value: dict[str, Any]) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    if value.get("artifactTypes") and value.get("includeReferrers") is False:
        message = "cannot stand beside `includeReferrers: false`: there is nothing to choose from"
        found.append(_problem("artifactTypes", message))
    template = value.get("backupTag")
    if isinstance(template, str):
        if value.get("mode") != "Force":
            found.append(_problem("backupTag", "needs `mode: Force`; without it no tag is overwritten"))
        if problem := backup_tag_problem(template, _tags_in(value)):
            found.append(_problem("backupTag", problem, "invalid_value"))
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
    named = next((field for field in ("registryUri", "resourceId") if source.get(field) is not None), None)
    if named and isinstance(image, str):
        found += _twice_named(registry, image, named)
    if isinstance(credentials, dict):
        found += _inside_credentials(credentials)
    return found


def _resource_id_of_many(value: dict[str, Any], source: dict[str, Any]) -> list[FieldProblem]:
    if source.get("resourceId") is None or not selects(value):
        return []
    message = "cannot stand beside a selection; name the registry's login server in `registryUri` instead"
    return [_problem("source.resourceId", message)]


def _twice_named(registry: object, image: str, named: str) -> list[FieldProblem]:
    """A login server in the image, beside the field that names the registry already."""
    first, slash, _ = image.partition("/")
    try:
        host = normal_registry(first) if slash else None
        same = host is not None and isinstance(registry, str) and host == normal_registry(registry)
    except InvalidReferenceError:
        return []  # no registry, or one that is wrong by itself
    if same:
        message = "repeats the registry that `registryUri` already names; write the repository alone"
    elif host and cloud_of_registry(host):
        message = f"names the registry {printable(host, 80)} beside `{named}`; write the repository alone"
    else:
        return []
    return [_problem("source.sourceImage", message)]


def _inside_credentials(credentials: dict[str, Any]) -> list[FieldProblem]:
    name, username, password = (credentials.get(field) for field in ("name", "username", "password"))
    if name is not None:
        others = {"username": username, "password": password}
        message = "cannot stand beside `name`, which stands for a configured user and password"
        return [_problem(f"source.credentials.{o}", message) for o, value in others.items() if value is not None]
    if password is not None:
        return []
    message = "is required with a `username`" if username else "is required, or the `name` of configured credentials"
    return [_problem("source.credentials.password", message, "missing_field")]


def _tags_in(value: dict[str, Any]) -> list[str]:
    """The tags that the request names as targets, as far as they are tags."""
    named = value.get("targetTags")
    texts = [value.get("target"), *(named if isinstance(named, list) else [])]
    tags = [text.rpartition(":")[2] for text in texts if isinstance(text, str) and ":" in text]
    return [tag for tag in tags if is_tag(tag)]
