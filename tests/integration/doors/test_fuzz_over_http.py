"""The hooks of a running app, over HTTP, with whatever a stranger with a key can send: no answer is a 500."""

import json
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devtools.stack_user import StackUser
from tests.unit.doors.deliveries import FuzzedDelivery, deliveries

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

BOUNDED = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.nested_given],
)


@BOUNDED
@given(sent=deliveries(), method=st.sampled_from(["POST", "POST", "POST", "OPTIONS", "GET", "PUT"]))
async def test_no_delivery_makes_the_app_fail(user: StackUser, sent: FuzzedDelivery, method: str) -> None:
    """It says by its status whether to deliver again; a method that is no door is not found."""
    path = "/api/hooks/" + "/".join(quote(part, safe="") for part in (sent.kind, sent.name) if part)
    answer = await user.api.request(method, path, content=sent.body, headers=sent.headers)

    assert answer.status_code in {200, 202, 400, 401, 404}, (path, sent)
    if method == "POST":
        assert isinstance(json.loads(answer.content), dict)


@BOUNDED
@given(path=st.text(max_size=40), query=st.text(max_size=20), body=st.binary(max_size=100))
async def test_no_path_below_the_hooks_makes_the_app_fail(user: StackUser, path: str, query: str, body: bytes) -> None:
    """Whatever stands behind the slash."""
    url = httpx.URL(user.stack.api).copy_with(
        raw_path=f"/api/hooks/{quote(path, safe='/', errors='replace')}?{quote(query, errors='replace')}".encode()
    )
    answer = await user.api.post(url, content=body)

    assert answer.status_code in {200, 400, 401, 404}, url
