"""The JSON that users get for `POST /api/rules/test`: which rules match, why others do not, and what would follow."""

from collections.abc import Iterable

from pydantic import Field

from importcore.api.hook_views import IgnoredView
from importcore.api.views import OptionsView, View, options_view
from importcore.hooks.push_event import Ignored, PushEvent
from importcore.reception.trial import Outcome


class WouldFollowView(View):
    """An import that would follow."""

    source: str
    targets: list[str]
    mode: str
    options: OptionsView
    credentials: str | None = Field(description="The name of the credentials for the source, where the rule names some")
    refused: str | None = Field(description="Why the policy or the app settings would refuse it")


class OutcomeView(View):
    """What one rule would make of the event."""

    rule: str
    matches: bool
    reasons: list[str] = Field(description="Why it does not match, or why one of its targets is left out")
    imports: list[WouldFollowView]


class EventOutcomeView(View):
    """What the rules would make of one event."""

    source: str
    rules: list[OutcomeView]


class TrialView(View):
    """What would follow; nothing was done, and no registry was asked."""

    events: list[EventOutcomeView]
    ignored: list[IgnoredView] = Field(description="What of a delivery is no push")


def trial_json(found: Iterable[tuple[PushEvent, tuple[Outcome, ...]]], ignored: Iterable[Ignored]) -> str:
    """What a trial found, as JSON."""
    view = TrialView(
        events=[EventOutcomeView(source=str(event.source), rules=list(map(_outcome, all_))) for event, all_ in found],
        ignored=[IgnoredView(what=one.what, reason=one.reason) for one in ignored],
    )
    return view.model_dump_json(by_alias=True)


def _outcome(outcome: Outcome) -> OutcomeView:
    imports = [
        WouldFollowView(
            source=str(each.request.source),
            targets=[str(target) for target in each.request.targets],
            mode=each.request.mode,
            options=options_view(each.request.options),
            credentials=getattr(each.request.credentials, "name", None),
            refused=each.refused,
        )
        for each in outcome.imports
    ]
    return OutcomeView(rule=outcome.rule, matches=outcome.matches, reasons=list(outcome.reasons), imports=imports)
