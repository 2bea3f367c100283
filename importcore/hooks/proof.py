"""Who may send to a hook: what is configured for it in `TRANSLOAD_HOOKS`, and whether a delivery proves to be its.

The function key opens the door to all hooks; the secret of a hook tells one sender from another. Signatures are over
the raw body, before anything of it is read, and everything is compared in constant time.
"""

import hashlib
import hmac
from collections.abc import Mapping

from importcore.errors import TransloadError, UnauthenticatedError
from importcore.hooks.senders import Sender
from importcore.settings.values import HookSettings

_SIGNATURE_PREFIX = "sha256="
_SCHEME = "Bearer "


class HookRefusedError(UnauthenticatedError):
    """A delivery does not prove that it comes from its sender."""

    code = "hook_refused"


class UnknownHookError(TransloadError):
    """There is no such hook."""

    code = "hook_unknown"


def require_proof(sender: Sender, hook: HookSettings | None, body: bytes, headers: Mapping[str, str]) -> None:
    """Refuse a delivery that lacks what its hook asks for; a hook without secrets asks for nothing.

    Raises:
        HookRefusedError: The header is missing, or is not what one of the secrets makes of it.
    """
    if hook is None or not hook.secrets:
        return
    name = hook.header or sender.header
    sent = headers.get(name.lower(), "")
    signs = sender.signs if hook.signed is None else hook.signed
    if not any(_is_right(sent, secret, body, signs=signs) for secret in hook.secrets):
        what = "is no signature of this body" if signs else "is not the secret"
        raise HookRefusedError(
            f"the header {name} {what if sent else 'is missing'}",
            action="Give the sender the secret that TRANSLOAD_HOOKS holds for this hook.",
        )


def _is_right(sent: str, secret: str, body: bytes, *, signs: bool) -> bool:
    if signs:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return _same(sent.removeprefix(_SIGNATURE_PREFIX).lower(), signature)
    return _same(sent, secret) | _same(sent.removeprefix(_SCHEME), secret)


def _same(sent: str, right: str) -> bool:
    return hmac.compare_digest(sent.encode(errors="replace"), right.encode())
