"""YAML text → plain values, and the line of each.

PyYAML parses (its events, nothing of its constructors); what the events mean is decided here, more narrowly than YAML
1.1 does: scalars are those of the YAML 1.2 core schema (spec 1.2.2, section 10.3), so that `on:` is a key and not
`true`, and `1:30` no number. One document; no aliases, no tags, no merge keys; a key that stands twice is a problem.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from importcore.documents.place import BYTES_AT_MOST
from importcore.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH_AT_MOST = 16
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})
_WHOLE = re.compile(r"[-+]?[0-9]{1,300}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

Key = str | int


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """One thing that is wrong: in which line (from 1), at which path (`rules.2.to`, empty for the whole), and what."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path + ': ' if self.path else ''}{self.message}"


class YamlProblemsError(Exception):
    """The text is no YAML, or none that is taken here."""

    def __init__(self, problems: list[DocumentProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Node:
    """A value with its place.

    Attributes:
        value: A dict, a list, a text, a number, a bool or None.
        line: Where it begins, from 1.
        children: What stands below it, by key or index.
        key_lines: For a mapping, where each key stands.
        plain: Whether it is a scalar without quotes.
    """

    value: Any
    line: int
    children: dict[Key, "Node"] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    plain: bool = False


def parse_yaml(text: str) -> Node:
    """Parse one YAML document.

    Raises:
        YamlProblemsError: Names everything that is wrong; after a breach of the grammar nothing more can be read.
    """
    if len(text.encode(errors="replace")) > BYTES_AT_MOST:
        raise YamlProblemsError([DocumentProblem(1, "", f"the document is larger than {BYTES_AT_MOST} bytes")])
    composer = _Composer(text)
    root: Node | None = None
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        said = " ".join(filter(None, (error.context, error.problem)))
        mark = error.problem_mark or error.context_mark
        composer.wrong(mark.line + 1 if mark else 1, "", f"is no YAML: {printable(said)}")
    except yaml.YAMLError as error:  # a character that YAML forbids
        position = getattr(error, "position", 0)
        composer.wrong(text.count("\n", 0, position) + 1, "", "holds a character that YAML does not allow")
    except _TooDeepError as error:
        composer.wrong(error.line, "", f"is nested deeper than {DEPTH_AT_MOST} levels")
    if composer.problems or root is None:
        raise YamlProblemsError(composer.problems)
    return root


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Composer:
    """Builds nodes from the parser's events; one call deeper for each level, so the depth is bounded here."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self.problems: list[DocumentProblem] = []

    def wrong(self, line: int, path: str, message: str) -> None:
        self.problems.append(DocumentProblem(line, path, message))

    def document(self) -> Node:
        root = Node(None, 1)
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                node = self._node(next(self._events), (), 0)
                if documents == 1:
                    root = node
                else:
                    self.wrong(event.start_mark.line + 1, "", "begins a second document; there can be one alone")
        return root

    def _node(self, event: Any, path: tuple[Key, ...], depth: int) -> Node:  # noqa: ANN401 (PyYAML has no types)
        line = event.start_mark.line + 1
        if depth > DEPTH_AT_MOST:
            raise _TooDeepError(line)
        if isinstance(event, yaml.AliasEvent):
            self.wrong(line, dotted(path), "is an alias (*); write it out instead")
            return Node(None, line)
        if event.anchor is not None:
            self.wrong(line, dotted(path), "has an anchor (&), which serves nothing here")
        if event.tag is not None and event.tag != "!":
            self.wrong(line, dotted(path), f"has a tag ({printable(event.tag, 60)}), which is not read here")
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None
            return Node(_scalar(event.value) if plain else event.value, line, plain=plain)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(line, path, depth)
        return self._mapping(line, path, depth)

    def _sequence(self, line: int, path: tuple[Key, ...], depth: int) -> Node:
        found: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, (*path, len(found)), depth + 1))
        return Node([node.value for node in found], line, dict(enumerate(found)))

    def _mapping(self, line: int, path: tuple[Key, ...], depth: int) -> Node:
        node = Node({}, line)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_line = event.start_mark.line + 1
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            if key is None:
                self._node(event, path, depth + 1)
                self.wrong(key_line, dotted(path), "has a key that is no text")
            elif key in node.children:
                self.wrong(key_line, dotted((*path, key)), f"stands twice; first in line {node.key_lines[key]}")
            value = self._node(next(self._events), (*path, key or "?"), depth + 1)
            if key is not None and key not in node.children:
                node.children[key], node.key_lines[key] = value, key_line
                node.value[key] = value.value
        return node


def dotted(path: tuple[Key, ...]) -> str:
    """Write a path as messages show it."""
    return ".".join(printable(str(part), 60) for part in path)


def _scalar(text: str) -> str | int | float | bool | None:
    """Give what a scalar without quotes means in the YAML 1.2 core schema (of numbers, the decimal ones)."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
