"""An event held to every rule: which match, why the others do not, and which imports follow.

Nothing here asks a registry or writes anything; `reception/` makes the imports, `POST /api/rules/test` shows them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from importcore.errors import InvalidReferenceError
from importcore.hooks.push_event import PushEvent
from importcore.reference import Reference
from importcore.request.model import ImportRequest
from importcore.request.source_access import NamedCredentials
from importcore.rules.document import Rule
from importcore.rules.templates import filled_in


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says about an event.

    Attributes:
        rule: The rule.
        reasons: Why nothing follows, or why something does not; empty where all of it does.
        requests: The imports that follow, one for each target registry.
    """

    rule: Rule
    reasons: tuple[str, ...] = ()
    requests: tuple[ImportRequest, ...] = ()


def verdicts(rules: Iterable[Rule], event: PushEvent) -> tuple[Verdict, ...]:
    """Hold an event to every rule, in their order."""
    return tuple(_verdict(rule, event) for rule in rules)


def _verdict(rule: Rule, event: PushEvent) -> Verdict:
    differences = rule.on.differences(event)
    if differences:
        return Verdict(rule, differences)
    try:
        source = Reference.in_registry(event.registry, f"{event.repository}:{event.tag}")
    except InvalidReferenceError as error:
        return Verdict(rule, (error.message,))
    targets: dict[str, list[Reference]] = {}
    reasons: list[str] = []
    for template in rule.to:
        try:
            target = filled_in(template, event)
        except InvalidReferenceError as error:
            reasons.append(f"{template}: {error.message}")
            continue
        if target == source:
            reasons.append(f"{template}: is where the event comes from")
            continue
        targets.setdefault(target.registry, []).append(target)
    requests = tuple(_request(rule, source, tuple(dict.fromkeys(found))) for found in targets.values())
    return Verdict(rule, tuple(reasons), requests)


def _request(rule: Rule, source: Reference, targets: tuple[Reference, ...]) -> ImportRequest:
    named = rule.options.credentials
    return ImportRequest(
        source=source,
        targets=targets,
        mode=rule.options.mode,
        credentials=NamedCredentials(named) if named else None,
        options=rule.options.of_import,
        follows=True,
    )
