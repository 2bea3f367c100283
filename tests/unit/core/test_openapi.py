"""The API's description: complete, consistent, and about the models that are really used."""

import re
from collections.abc import Iterator
from typing import Any

from importcore.api.openapi import openapi
from importcore.state.record import Status

DOCUMENT = openapi("1.2.3")
METHODS = {"get", "post", "options"}


def nodes(value: object) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from nodes(child)


def resolved(reference: str) -> object:
    """What a `$ref` points at."""
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_it_says_what_it_is() -> None:
    """OpenAPI 3.1, which takes JSON Schema as pydantic writes it."""
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_every_reference_resolves() -> None:
    """No schema was forgotten and none is left over."""
    references = {node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node}

    assert all(isinstance(resolved(reference), dict) for reference in references)
    assert {reference.rpartition("/")[2] for reference in references} == set(DOCUMENT["components"]["schemas"])


def test_every_operation_has_a_summary_and_described_answers() -> None:
    """Each path, each method, each status."""
    operations = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]

    assert all(set(path) <= METHODS for path in DOCUMENT["paths"].values())
    assert all(operation["summary"] for operation in operations)
    assert all(answer["description"] for operation in operations for answer in operation["responses"].values())


def test_every_parameter_of_a_path_is_declared() -> None:
    """And nothing else is."""
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))


def test_only_the_open_paths_need_no_key() -> None:
    """Health and the description itself; everything else takes the function key."""
    open_paths = {path for path, of in DOCUMENT["paths"].items() if any(o.get("security") == [] for o in of.values())}

    assert open_paths == {"/health", "/openapi.json"}
    assert DOCUMENT["security"] == [{"functionKey": []}, {"entra": []}]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"functionKey", "entra"}


def test_every_operation_says_what_it_answers_to_nobody() -> None:
    """401 wherever somebody must be known; too many imports in flight is 429; a reader that cancels gets 403."""
    silent = [
        path
        for path, of in DOCUMENT["paths"].items()
        for method, operation in of.items()
        if method != "options" and operation.get("security") != [] and "401" not in operation["responses"]
    ]

    assert silent == []
    assert "429" in DOCUMENT["paths"]["/imports"]["post"]["responses"]
    assert "403" in DOCUMENT["paths"]["/imports/{id}/cancel"]["post"]["responses"]


def test_a_password_is_only_ever_written() -> None:
    """Tools that show examples must not ask for it in answers."""
    assert DOCUMENT["components"]["schemas"]["CredentialsBody"]["properties"]["password"]["writeOnly"] is True


def test_the_request_refuses_unknown_fields_as_the_reader_does() -> None:
    """In the body, in its source and in the credentials."""
    schemas = DOCUMENT["components"]["schemas"]

    assert all(
        schemas[name]["additionalProperties"] is False for name in ("ImportBody", "SourceBody", "CredentialsBody")
    )
    assert schemas["ImportBody"]["required"] == ["source"]


def test_every_field_of_the_request_is_described() -> None:
    """Whoever reads the description alone learns what each one is for."""
    schemas = DOCUMENT["components"]["schemas"]
    silent = [
        f"{name}.{field}"
        for name in ("ImportBody", "SourceBody", "CredentialsBody", "TagsBody")
        for field, schema in schemas[name]["properties"].items()
        if not schema.get("description")
    ]

    assert silent == []


def test_the_listing_filters_by_every_status() -> None:
    """The description and the product know the same ones."""
    [by_status] = [p for p in DOCUMENT["paths"]["/imports"]["get"]["parameters"] if p["name"] == "status"]

    assert by_status["schema"]["enum"] == [status.value for status in Status]
