"""The alerts read what the app really logs: a query that matches nothing would be silent for ever."""

import json
import logging
import re

import pytest

import function_app
from importcore.audit import Audit
from importcore.request.model import Mode
from importcore.state.record import ImportRecord, Status, now
from importcore.upkeep.backlog import Backlog
from tests.unit.infra.bicep_text import ROOT, text

_QUERIES = {
    name: query.replace("\\\\", "\\")  # Bicep writes a backslash twice
    for name, query in re.findall(r"name: '(\w+)'.*?query: '([^']*)'", text("app/alerts.bicep"), re.DOTALL)
}


def _functions(kind: str) -> dict[str, str]:
    """Give the queue (or schedule) of each function with such a trigger, by the function's name."""
    builders = [value for value in vars(function_app).values() if hasattr(value, "_function")]
    functions = [builder._function for builder in builders]
    triggers = {function.get_function_name(): function.get_trigger() for function in functions}
    return {
        name: getattr(trigger, "queue_name", None) or trigger.schedule
        for name, trigger in triggers.items()
        if trigger.type == kind
    }


def test_every_function_on_a_poison_queue_raises_the_alert() -> None:
    """Add a new one to the query of `poisoned` in infra/app/alerts.bicep."""
    named = re.search(r"name in \(([^)]*)\)", _QUERIES["poisoned"])
    assert named
    on_poison = {name for name, queue in _functions("queueTrigger").items() if queue.endswith("-poison")}
    assert set(re.findall(r'"(\w+)"', named[1])) == on_poison


def test_an_event_that_is_given_up_raises_the_alert() -> None:
    """No function listens on `events-poison`: the line is what is left to see."""
    line = re.search(r'message startswith "([^"]*)"', _QUERIES["poisoned"])
    assert line
    assert f'_log.error("{line[1]}' in (ROOT / "importcore/doors/event_messages.py").read_text()


def test_the_alert_of_failing_imports_reads_the_audit_log(caplog: pytest.LogCaptureFixture) -> None:
    """The words that its query looks for stand in the line that the end of an import writes."""
    queued = ImportRecord("0" * 19, "a.example/b:1", (), Mode.NO_FORCE, Status.QUEUED, now())
    begins = re.search(r'message startswith "((?:\\.|[^"])*)"', _QUERIES["failing"])
    events = re.search(r'event in \("(\w+)", "(\w+)"\)', _QUERIES["failing"])
    assert begins
    assert events
    for status, event in zip((Status.SUCCEEDED, Status.FAILED), events.groups(), strict=True):
        caplog.clear()
        with caplog.at_level(logging.INFO, "transload.audit"):
            Audit().changed(queued, queued.finished(status))
        [line] = caplog.messages
        assert line.startswith(begins[1].replace('\\"', '"'))
        assert json.loads(line)["event"] == event


def test_the_alert_of_waiting_imports_reads_the_line_of_the_timer() -> None:
    """What the query takes from the line is the age in seconds."""
    pattern = re.search(
        r'parse message with "([^"]*)" seconds:real "([^"]*)" imports:long "([^"]*)"', _QUERIES["waiting"]
    )
    assert pattern
    line = re.fullmatch(f"{pattern[1]}(.*){pattern[2]}(.*){pattern[3]}", str(Backlog(7, 1234.4)))
    assert line
    assert (float(line[1]), int(line[2])) == (1234, 7)


def test_the_alert_of_a_silent_app_watches_the_timer() -> None:
    """The timer's name is the one in the query, and it runs more than once within the query's window."""
    assert '"keep_up"' in _QUERIES["silent"]
    assert _functions("timerTrigger")["keep_up"] == "0 */10 * * * *"
