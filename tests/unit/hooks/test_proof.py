"""Who may send: a secret in a header, or a signature over the body; what lacks it is refused."""

import hashlib
import hmac

import pytest

from importcore.hooks.proof import HookRefusedError, require_proof
from importcore.hooks.senders import SENDERS
from importcore.settings.values import HookSettings
from tests.unit.hooks.hook_samples import PUSHES, Sample, sample

SECRET = "correct horse"
SIGNING = sorted(kind for kind, sender in SENDERS.items() if sender.signs)
SENDING = sorted(set(SENDERS) - set(SIGNING))


def signature(body: bytes, secret: str = SECRET) -> str:
    """As GitHub writes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def proven(kind: str, headers: dict[str, str], body: bytes = b"{}", **hook: object) -> None:
    """Ask for proof of a delivery of a hook with SECRET, or with other settings."""
    require_proof(SENDERS[kind], HookSettings.model_validate({"secrets": [SECRET], **hook}), body, headers)


@pytest.mark.parametrize("kind", SENDING)
def test_the_secret_in_its_header_proves_the_sender(kind: str) -> None:
    """Word for word, or as a bearer token."""
    name = SENDERS[kind].header.lower()

    proven(kind, {name: SECRET})
    proven(kind, {name: f"Bearer {SECRET}"})


@pytest.mark.parametrize("kind", SENDING)
@pytest.mark.parametrize(
    "sent", ["correct hors", "correct horse ", "Correct horse", "Basic correct horse", "ü", "\udce4"]
)
def test_a_wrong_secret_is_refused(kind: str, sent: str) -> None:
    """And is not repeated."""
    with pytest.raises(HookRefusedError, match="is not the secret") as caught:
        proven(kind, {SENDERS[kind].header.lower(): sent})

    assert sent not in caught.value.message


@pytest.mark.parametrize("kind", sorted(SENDERS))
def test_what_lacks_its_proof_is_told_what_is_missing(kind: str) -> None:
    """An empty header is a missing one, and a header of another kind proves nothing."""
    name = SENDERS[kind].header

    for headers in ({}, {name.lower(): ""}, {"x-other": SECRET}):
        with pytest.raises(HookRefusedError, match=f"the header {name} is missing"):
            proven(kind, headers)


@pytest.mark.parametrize("each", [p for p in PUSHES if p.kind in SIGNING], ids=str)
def test_the_signature_of_the_very_bytes_proves_the_sender(each: Sample) -> None:
    """In hexadecimal of either case."""
    right = signature(each.body)

    proven(each.kind, {"x-hub-signature-256": right}, each.body)
    proven(each.kind, {"x-hub-signature-256": "sha256=" + right.removeprefix("sha256=").upper()}, each.body)


@pytest.mark.parametrize("kind", SIGNING)
@pytest.mark.parametrize(
    "wrong",
    [
        signature(b'{"a": 1}', "another secret"),
        signature(b'{"a":1}'),
        signature(b'{"a": 1}')[:-1],
        signature(b'{"a": 1}').replace("sha256=", "sha1="),
        SECRET,
        "sha256=",
        "sha256=é",
    ],
)
def test_a_wrong_signature_is_refused(kind: str, wrong: str) -> None:
    """Of another secret, of a body that differs by a blank, cut, of another algorithm, or the secret itself."""
    with pytest.raises(HookRefusedError, match="is no signature of this body"):
        proven(kind, {"x-hub-signature-256": wrong}, b'{"a": 1}')


def test_either_of_two_secrets_counts_while_one_replaces_the_other() -> None:
    """And no third."""
    for secret in ("old", "new"):
        proven("harbor", {"authorization": secret}, secrets=["old", "new"])
    with pytest.raises(HookRefusedError):
        proven("harbor", {"authorization": "newer"}, secrets=["old", "new"])


def test_a_hook_may_name_its_own_header_and_ask_for_a_signature() -> None:
    """JFrog signs in a header of its own when it is told to, and without a prefix."""
    body = sample("jfrog", "jfrog-push").body

    proven("harbor", {"x-door": SECRET}, header="X-Door")
    proven("jfrog", {"x-jfrog-event-auth": SECRET})
    proven("jfrog", {"x-jfrog-event-auth": signature(body).removeprefix("sha256=")}, body, signed=True)
    with pytest.raises(HookRefusedError):
        proven("harbor", {"authorization": SECRET}, header="X-Door")
    with pytest.raises(HookRefusedError):
        proven("jfrog", {"x-jfrog-event-auth": SECRET}, body, signed=True)


def test_a_hook_without_secrets_asks_for_nothing() -> None:
    """The function key that the host asked for is then the only secret."""
    require_proof(SENDERS["quay"], None, b"{}", {})
    require_proof(SENDERS["github"], HookSettings(), b"{}", {})
