"""The answer to a webhook: which imports follow, and what was left alone for which reason."""

from pydantic import Field

from importcore.api.views import View
from importcore.doors.handing_in import Heeded


class FollowingImportView(View):
    """An import that follows from the delivery; one that was on its way already stands here too."""

    id: str
    rule: str
    source: str
    targets: list[str]


class IgnoredView(View):
    """Something in the delivery that led to nothing."""

    what: str = Field(examples=["delete team/app"])
    reason: str = Field(examples=["nothing is deleted at the target when something is deleted at the source"])
    rule: str | None = Field(default=None, description="The rule that decided it; none did where it is left out")


class HookView(View):
    """What became of a delivery."""

    imports: list[FollowingImportView]
    ignored: list[IgnoredView]


def hook_json(heeded: Heeded) -> str:
    """What became of a delivery, as JSON."""
    view = HookView(
        imports=[
            FollowingImportView(id=made.import_id, rule=made.rule, source=made.source, targets=list(made.targets))
            for made in heeded.imports
        ],
        ignored=[IgnoredView(what=one.what, reason=one.reason, rule=one.rule) for one in heeded.ignored],
    )
    return view.model_dump_json(by_alias=True, exclude_none=True)
