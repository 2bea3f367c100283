"""Secrets that are found nowhere: on no disk of the storage, in no write to it, no log and no answer."""

import base64
import logging
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from devtools.canaries import EveryLog, forms, sightings
from tests.integration.security.secret_legs import meet_a_bug, sail_further
from tests.integration.security.secret_paths import sail_everywhere
from tests.integration.security.secret_voyage import PASSWORD, PUBLIC, SecretVoyage, voyage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sailed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecretVoyage]:
    """A voyage that is over."""
    log, root = EveryLog(), logging.getLogger()
    before = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        with pytest.MonkeyPatch.context() as monkeypatch:
            async with voyage(tmp_path_factory.mktemp("azurite"), monkeypatch, log) as on:
                await sail_further(on)
                await sail_everywhere(on)
                await meet_a_bug(on)
        yield on
    finally:
        root.removeHandler(log)
        root.setLevel(before)


async def test_every_path_was_taken(sailed: SecretVoyage) -> None:
    """Else the search below would search too little; and tokens of every kind were issued on the way."""
    assert sailed.ends == {
        "by password": "Succeeded",
        "by identity": "Succeeded",
        "by name": "Succeeded",
        "by Entra token": "Succeeded",
        "with a callback": "Succeeded",
        "wrong password": "authentication_failed",
        "absent": "not_found",
        "echoed by the token service": "access_denied",
        "echoed to a refresh token": "registry_error",
        "echoed by the source": "access_denied",
        "echoed by the target": "registry_error",
        "altered": "digest_mismatch",
        "led astray": "unsafe_url",
        "canceled in the queue": "Canceled",
        "asleep with an upload open": "rate_limited",
        "awake": "Succeeded",
        "given up once": "Queued",
        "unreadable": "message_unreadable",
        "child of a selection": "Succeeded",
        "selection": "Succeeded",
        "selection by a wrong password": "authentication_failed",
        "told by a secret": "Succeeded",
        "told by Docker Hub": "Canceled",
        "told by a signature": "200",
        "told by a wrong signature": "hook_refused",
        "told by a wrong secret": "hook_refused",
        "told what cannot be read": "event_malformed",
        "bug with a token": "Running",
        "bug with a token in a preview": "OddError",
        "bug with a manifest": "Running",
        "bug with a manifest in a preview": "OddError",
        "bug with a blob": "Running",
        "bug with a blob in a preview": "OddError",
    }
    kinds = {name.split()[0] for name in sailed.secrets}
    assert kinds >= {"password", "Basic", "Bearer", "access_token", "refresh_token", "_state"}


async def test_no_secret_is_seen_anywhere(sailed: SecretVoyage) -> None:
    """In clear, URL-encoded, hexadecimal or base64; neither those of requests nor those that were issued."""
    found = sightings(sailed.secrets, ((place, text) for place, texts in sailed.places.items() for text in texts))

    assert found == set()


async def test_what_is_no_secret_is_seen_everywhere(sailed: SecretVoyage) -> None:
    """The same search finds the name of a repository in every place: so it looks where things are."""
    places = [(place, text) for place, texts in sailed.places.items() for text in texts]

    assert {place for _, place in sightings({"name": PUBLIC}, places)} == {"answers", "log", "storage", "disk"}


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
async def test_a_secret_is_seen_in_every_form(before: str) -> None:
    """Wherever it begins in what was encoded around it; one that is missing is not."""
    text = f'{before}"{PASSWORD}" and more'.encode()
    whole = base64.b64encode(text)
    hidden = [text, quote(text, safe="").encode(), text.hex().encode(), whole, base64.b64encode(b"xy" + whole)]

    assert [sightings({"p": PASSWORD}, [("here", each)]) for each in hidden] == [{("p", "here")}] * len(hidden)
    assert sightings({"p": PASSWORD}, [("here", text.replace(b"canary", b"cenary"))]) == set()
    with pytest.raises(ValueError, match="proves nothing"):
        forms("short")
