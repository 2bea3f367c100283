"""How pushes reach the app: infra sends them where the code takes them."""

import re

import azure.functions as func

import function_app
from importcore.hooks.senders import SENDERS
from importcore.storage.names import STORAGE_NAMES
from tests.unit.infra.bicep_text import text


def test_event_grid_delivers_into_the_queue_of_events() -> None:
    """Sender's right and subscription name the queue that a function listens on."""
    assert re.findall(r"queueName: '([^']*)'", text("main.bicep")) == [STORAGE_NAMES.event_queue] * 2


def test_the_webhook_calls_a_hook_with_the_key_of_its_function() -> None:
    """The path is that of the route, the kind is one that is known, and the key opens that function alone."""
    source = text("events/webhook.bicep")
    path = re.search(r"serviceUri: '\$\{appUrl\}/api/([^']*)'", source)
    key = re.search(r"listKeys\('\$\{app.id\}/functions/(\w+)'", source)
    assert path
    assert key
    trigger = getattr(function_app, key[1])._function.get_trigger()
    assert trigger.route.partition("{")[0] + "acr" == path[1]
    assert trigger.auth_level is func.AuthLevel.FUNCTION
    assert "acr" in SENDERS


def test_hooks_are_open_to_senders_without_an_entra_token() -> None:
    """Registries cannot sign in; what they call asks for a function key, also where callers sign in with Entra ID."""
    open_paths = re.search(r"var openPaths = \[\n(.*?)\]", text("main.bicep"), re.DOTALL)
    assert open_paths
    routes = [value._function.get_trigger() for value in vars(function_app).values() if hasattr(value, "_function")]
    hooks = [trigger for trigger in routes if trigger.type == "httpTrigger" and trigger.route.startswith("hooks/")]
    assert [trigger.auth_level for trigger in hooks] == [func.AuthLevel.FUNCTION]
    anonymous = {
        f"/api/{t.route}" for t in routes if t.type == "httpTrigger" and t.auth_level is func.AuthLevel.ANONYMOUS
    }
    assert set(re.findall(r"'([^']*)'", open_paths[1])) == anonymous | {"/api/hooks/*"}
