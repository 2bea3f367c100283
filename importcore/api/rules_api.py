"""`POST /api/rules/test`: what the rules in force would make of an event, without doing anything."""

import json

from importcore.api.http_api import Answer
from importcore.api.trial_body import TrialBody, read_trial
from importcore.api.trial_views import trial_json
from importcore.caller import Caller
from importcore.hooks.payload import Delivery
from importcore.hooks.push_event import Heard
from importcore.wiring import Services


async def try_rules(app: Services, caller: Caller, body: bytes) -> Answer:
    """Answer which rules match an event, why the others do not, and which imports would follow."""
    await app.trial.require_may_ask(caller)
    asked = read_trial(body)
    through = Caller.by_hook(asked.hook) if asked.hook else None
    heard = _delivered(app, asked) if asked.hook and asked.payload is not None else Heard((asked.event(),))
    found = [(event, await app.trial.of(event, through=through)) for event in heard.pushes]
    return Answer(200, trial_json(found, heard.ignored))


def _delivered(app: Services, asked: TrialBody) -> Heard:
    kind, _, name = (asked.hook or "").partition("/")
    payload = json.dumps(asked.payload).encode()
    sender, hook = app.webhooks.hook(kind, name or None)
    headers = {"content-type": "application/json", **asked.lower_headers}
    return sender.read(Delivery(payload, headers, hook.registry if hook else None))
