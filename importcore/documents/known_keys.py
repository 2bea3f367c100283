"""Which key a person may have meant: the keys that a model knows at a place, read from its JSON schema."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

Path = tuple[str | int, ...]


def meant(model: type[BaseModel], place: Path, key: str) -> str | None:
    """Name the known key that is most like a wrong one.

    Args:
        model: What the document must be.
        place: The path of the mapping in which the wrong key stands, as pydantic gives it.
        key: The wrong key.
    """
    schema = model.model_json_schema()
    known: set[str] = set()
    for node in _at(schema, place):
        known |= node.get("properties", {}).keys()
    return next(iter(get_close_matches(key, sorted(known), n=1)), None)


def _at(schema: dict[str, Any], place: Path) -> list[dict[str, Any]]:
    """Give the schemas that may stand at a place; a part of the path that names a member of a union leads nowhere."""
    here = list(_members(schema, schema))
    for part in place:
        below = [inner for node in here for inner in _below(node, part)]
        if below:
            here = [member for inner in below for member in _members(schema, inner)]
    return here


def _below(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        if isinstance(node.get("items"), dict):
            yield node["items"]
    elif part in node.get("properties", {}):
        yield node["properties"][part]


def _members(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a schema itself, what it refers to, and the members of a union."""
    if "$ref" in node:
        yield from _members(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
        return
    yield node
    for inner in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _members(schema, inner)
