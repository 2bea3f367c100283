"""A YAML document is either what its model says, or every problem is named by line and path."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator

from importcore.documents.place import BYTES_AT_MOST
from importcore.documents.yaml_document import InvalidDocumentError, read_yaml


class Rule(BaseModel):
    """A rule of a made-up document."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    on: list[str] = []
    newest: Annotated[int, Field(ge=1)] | None = None
    verify: bool = False

    @field_validator("name")
    @classmethod
    def _lower(cls, name: str) -> str:
        if name != name.lower():
            raise ValueError("must be lower-case")
        return name


class Document(BaseModel):
    """A made-up document."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rules: list[Rule]


def problems(text: str) -> list[str]:
    """What is wrong with a document."""
    with pytest.raises(InvalidDocumentError) as caught:
        read_yaml(text, Document, name="TRANSLOAD_RULES")
    assert caught.value.message.startswith("TRANSLOAD_RULES: ")
    return [str(problem) for problem in caught.value.problems]


def test_a_right_document_is_read() -> None:
    """Block style, flow style (JSON is such), quoted and plain texts; `on` is a key and `no` a text."""
    text = 'rules:\n  - name: a\n    on: [push, \'no\', no]\n    newest: 3\n    verify: true\n  - {"name": "b"}\n'

    assert read_yaml(text, Document, name="X") == Document(
        rules=[Rule(name="a", on=["push", "no", "no"], newest=3, verify=True), Rule(name="b")]
    )


def test_every_problem_is_named_at_once_with_its_line() -> None:
    """Missing, unknown, of another type, out of bounds, refused by the model's own words."""
    text = "rules:\n- nam: a\n  on: push\n- name: B\n  newest: 0\n  verify: yes\n- name: 1.10\nmore: 1\n"

    assert problems(text) == [
        "line 2: rules.0.name: is required",
        "line 2: rules.0.nam: is not a key that is known here; did you mean 'name'?",
        "line 3: rules.0.on: Input should be a valid list",
        "line 4: rules.1.name: must be lower-case",
        "line 5: rules.1.newest: Input should be greater than or equal to 1",
        "line 6: rules.1.verify: Input should be a valid boolean",
        "line 7: rules.2.name: Input should be a valid string; put it in quotes",
        "line 8: more: is not a key that is known here",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: []\nrules: []\n", "line 2: rules: stands twice; first in line 1"),
        ("rules: &r []\n", "line 1: rules: has an anchor (&), which serves nothing here"),
        ("rules: *r\n", "line 1: rules: is an alias (*); write it out instead"),
        ("rules: !!python/name:os.system []\n", "line 1: rules: has a tag (tag:yaml.org,2002:python/name:os.syst"),
        ("rules: []\n---\nrules: []\n", "line 2: begins a second document; there can be one alone"),
        ("rules: []\n[a]: 1\n", "line 2: has a key that is no text"),
        ("rules:\n  - [\n", "line 3: is no YAML: while parsing a flow node expected the node content"),
        ("rules: []\n\x00", "line 2: holds a character that YAML does not allow"),
        ("rules: " + "[" * 17, "line 1: is nested deeper than 16 levels"),
        ("", "line 1: must be a mapping of keys to values"),
        ("x" * (BYTES_AT_MOST + 1), f"line 1: the document is larger than {BYTES_AT_MOST} bytes"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_named(text: str, expected: str) -> None:
    """Also what YAML itself would allow: duplicate keys, aliases, tags, several documents."""
    assert problems(text)[0].startswith(expected)


def test_no_number_of_aliases_grows() -> None:
    """The billion laughs: an alias is never followed."""
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 40)]

    assert "line 2: a1.0: is an alias (*); write it out instead" in problems("\n".join(lines))


def test_a_long_list_of_problems_is_cut_in_the_message_alone() -> None:
    """The message stays readable; the error holds them all."""
    with pytest.raises(InvalidDocumentError) as caught:
        read_yaml("".join(f"k{i}: 1\n" for i in range(30)), Document, name="X")

    assert caught.value.message.endswith("; and 11 more")
    assert len(caught.value.problems) == 31


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@given(st.text() | st.text(alphabet="[]{}:,-&*!|>'\"# \n\tab1") | _VALUES.map(repr))
def test_whatever_stands_there_it_is_read_or_refused(text: str) -> None:
    """No text makes another error than the one that names the problem."""
    lines: list[int] = []
    read = None
    try:
        read = read_yaml(text, Document, name="X")
    except InvalidDocumentError as error:
        lines = [problem.line for problem in error.problems]

    assert bool(lines) is (read is None)
    assert all(line >= 1 for line in lines)


class Anything(BaseModel):
    """A document that may hold anything."""

    v: Any


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("~", None), ("", None), ("true", True), ("False", False), ("yes", "yes"), ("0o7", "0o7"), ("010", 10),
        ("-1.5e3", -1500.0), ("1.", 1.0), ("1_000", "1_000"), ("1:30", "1:30"), ("2026-11-25", "2026-11-25"),
        ("'1'", "1"), ("<<", "<<"), (".inf", ".inf"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_the_core_schema(written: str, value: object) -> None:
    """YAML 1.2, not 1.1: few words mean something else than they say."""
    found = read_yaml(f"v: {written}\n", Anything, name="X").v

    assert (found, type(found)) == (value, type(value))
