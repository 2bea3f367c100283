"""The document in force: read once, looked at again at a bounded rate, and never in force when it is wrong."""

import asyncio
import os
from pathlib import Path

import pytest

from importcore.documents.place import DocumentPlace
from importcore.documents.watched import TextInFile, TextInSetting, WatchedDocument
from importcore.documents.yaml_document import InvalidDocumentError, read_yaml
from importcore.errors import ConfigurationError
from importcore.settings.model import Settings
from tests.unit.core.test_settings import LEAST
from tests.unit.documents.test_yaml_document import Document

GOOD, OTHER, WRONG = "rules: [{name: a}]", "rules: [{name: b}, {name: c}]", "rules: [{}]"


def watched(path: Path) -> WatchedDocument[Document]:
    """Watch a file."""
    return WatchedDocument(TextInFile(path, "X"), lambda text: read_yaml(text, Document, name="X"))


async def names(document: WatchedDocument[Document]) -> list[str]:
    """The names of the rules in force."""
    return [rule.name for rule in (await document.current()).rules]


async def test_a_changed_file_comes_into_force(tmp_path: Path) -> None:
    """Within half a minute; before that, nobody looks."""
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    document = watched(path)
    assert await names(document) == ["a"]

    path.write_text(OTHER)
    await asyncio.sleep(29)
    assert await names(document) == ["a"]
    await asyncio.sleep(2)
    assert await names(document) == ["b", "c"]


async def test_an_unchanged_file_is_not_parsed_again(tmp_path: Path) -> None:
    """Its time and size tell."""
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    document = watched(path)
    first = await document.current()
    await asyncio.sleep(31)

    assert await document.current() is first


async def test_a_file_that_became_wrong_is_not_in_force_until_it_is_corrected(tmp_path: Path) -> None:
    """The error names the line each time, and goes when the file is right."""
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    document = watched(path)
    await document.current()
    path.write_text(WRONG)
    await asyncio.sleep(31)
    for _ in range(2):
        with pytest.raises(InvalidDocumentError, match=r"line 1: rules\.0\.name: is required"):
            await document.current()

    path.write_text(OTHER)
    await asyncio.sleep(31)
    assert await names(document) == ["b", "c"]


async def test_a_missing_file_is_named_and_found_again(tmp_path: Path) -> None:
    """Also when it comes back exactly as it was."""
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD)
    os.utime(path, (1, 1))
    document = watched(path)
    await document.current()
    path.unlink()
    await asyncio.sleep(31)
    with pytest.raises(ConfigurationError, match=r"X: the file .*rules\.yaml cannot be read"):
        await document.current()

    path.write_text(GOOD)
    os.utime(path, (1, 1))
    await asyncio.sleep(31)
    assert await names(document) == ["a"]


async def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Not UTF-8."""
    (tmp_path / "rules.yaml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match="X: the document is not text in UTF-8"):
        await watched(tmp_path / "rules.yaml").current()


async def test_a_text_in_the_setting_is_read_once() -> None:
    """It cannot change while the process lives."""
    document = WatchedDocument(TextInSetting(GOOD), lambda text: read_yaml(text, Document, name="X"))
    first = await document.current()
    await asyncio.sleep(31)

    assert await document.current() is first


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("file:rules.yaml", DocumentPlace(file="rules.yaml")),
        ("blob:config/team/rules.yaml", DocumentPlace(blob=("config", "team/rules.yaml"))),
        ("rules: []", DocumentPlace(text="rules: []")),
        ("file: x", DocumentPlace(text="file: x")),
        ("file:\n  x", DocumentPlace(text="file:\n  x")),
        ('{"rules": []}', DocumentPlace(text='{"rules": []}')),
    ],
)
def test_the_setting_says_where_the_document_lies(setting: str, place: DocumentPlace) -> None:
    """A word that YAML would read as a key is text."""
    assert Settings.from_environment({**LEAST, "TRANSLOAD_RULES": setting}).rules == place


@pytest.mark.parametrize("setting", ["blob:rules.yaml", "blob:Config/rules.yaml", "blob:config/x?sig=s", "file:"])
def test_a_place_that_cannot_be_is_named_with_the_settings(setting: str) -> None:
    """Like every other wrong setting."""
    with pytest.raises(ConfigurationError, match="TRANSLOAD_RULES: "):
        Settings.from_environment({**LEAST, "TRANSLOAD_RULES": setting})
