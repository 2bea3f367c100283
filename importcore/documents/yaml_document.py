"""A YAML document as a pydantic model: either it is right, or every problem is named with its line and path."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from importcore.documents.known_keys import meant
from importcore.documents.tree import DocumentProblem, Key, Node, YamlProblemsError, dotted, parse_yaml
from importcore.errors import ConfigurationError, printable

_SHOWN_AT_MOST = 20
_MESSAGE_AT_MOST = 600
_MEANT_AS_TEXT = "string_type"

M = TypeVar("M", bound=BaseModel)


class InvalidDocumentError(ConfigurationError):
    """A document is wrong; `problems` holds everything that is, the message the first of it."""

    code = "document_invalid"
    default_action = "Correct the lines named in the message; the document is read again within a minute."

    def __init__(self, name: str, problems: list[DocumentProblem]) -> None:
        shown = "; ".join(map(str, problems[:_SHOWN_AT_MOST]))
        more = f"; and {len(problems) - _SHOWN_AT_MOST} more" if len(problems) > _SHOWN_AT_MOST else ""
        super().__init__(f"{name}: {shown}{more}")
        self.problems = tuple(problems)


def read_yaml(text: str, model: type[M], *, name: str, context: object = None) -> M:
    """Read a document.

    Args:
        text: The document, at most `place.BYTES_AT_MOST`.
        model: What it must be; with `extra="forbid"`, so that unknown keys are problems.
        name: What messages call it, for example `TRANSLOAD_RULES (file rules.yaml)`.
        context: What else the model's validators hold the document to.

    Raises:
        InvalidDocumentError: Names every problem.
    """
    try:
        root = parse_yaml(text)
    except YamlProblemsError as error:
        raise InvalidDocumentError(name, error.problems) from None
    try:
        return model.model_validate(root.value, context=context)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        problems = {_problem(root, model, problem["loc"], problem["type"], problem["msg"]): None for problem in found}
        raise InvalidDocumentError(name, sorted(problems, key=lambda problem: problem.line)) from None


def _problem(root: Node, model: type[BaseModel], loc: tuple[Key, ...], kind: str, message: str) -> DocumentProblem:
    """Find the line of one of pydantic's complaints; of its path, the document's own keys are kept."""
    node, line, path = root, root.line, list[Key]()
    for part in loc:
        below = node.children.get(part)
        if below is None:
            continue  # the name of a member of a union, or of a validator
        line = node.key_lines.get(str(part), below.line) if kind == "extra_forbidden" else below.line
        node, path = below, [*path, part]
    if kind == "missing":
        return DocumentProblem(line, dotted((*path, loc[-1])), "is required")
    if kind == "extra_forbidden":
        like = meant(model, loc[:-1], str(loc[-1]))
        hint = f"; did you mean '{like}'?" if like else ""
        return DocumentProblem(line, dotted(tuple(path)), f"is not a key that is known here{hint}")
    if kind == "model_type":
        return DocumentProblem(line, dotted(tuple(path)), "must be a mapping of keys to values")
    hint = "; put it in quotes" if kind == _MEANT_AS_TEXT and _looks_like_text(node) else ""
    return DocumentProblem(
        line, dotted(tuple(path)), printable(message.removeprefix("Value error, ") + hint, _MESSAGE_AT_MOST)
    )


def _looks_like_text(node: Node) -> bool:
    value: Any = node.value
    return node.plain and value is not None
