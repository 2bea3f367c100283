"""The JSON that users get for `validateOnly`: what an import would do, or what a selection chooses."""

from dataclasses import asdict

from pydantic import Field

from importcore.api.views import View
from importcore.preview import Preview
from importcore.reference import Reference


class TargetPreviewView(View):
    """One target of an import that was not begun."""

    reference: str
    standing: str | None = Field(description="The digest that it stands on now")
    conflict: bool = Field(description="Whether the import would be refused because of that")


class PreviewView(View):
    """What an import would do; the answer to `validateOnly`."""

    source: str
    digest: str = Field(description="What the target tags would stand on")
    source_digest: str
    manifests: int
    referrers: int
    blobs: int
    bytes_total: int
    bytes_there: int = Field(description="Bytes that the target has already")
    bytes_to_move: int
    targets: list[TargetPreviewView]


class ChosenView(View):
    """One import that a selection would make."""

    source: str
    target: str


class SelectionPreviewView(View):
    """What a selection would import; the answer to `validateOnly`."""

    imports: list[ChosenView]


def preview_json(found: Preview) -> str:
    """A preview as JSON."""
    targets = [TargetPreviewView(**asdict(target)) for target in found.targets]
    numbers = {name: value for name, value in asdict(found).items() if name != "targets"}
    return PreviewView(**numbers, targets=targets, bytes_to_move=found.bytes_to_move).model_dump_json(by_alias=True)


def chosen_json(pairs: tuple[tuple[Reference, Reference], ...]) -> str:
    """What a selection chooses, as JSON."""
    imports = [ChosenView(source=str(source), target=str(target)) for source, target in pairs]
    return SelectionPreviewView(imports=imports).model_dump_json(by_alias=True)
