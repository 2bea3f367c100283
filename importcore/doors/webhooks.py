"""One delivery to `/api/hooks/{kind}`: who sends it, what it tells, and what follows.

The order is that of trust: the size, the proof over the bytes as they came, and only then their meaning.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx

from importcore.caller import Caller
from importcore.doors.handing_in import Heeded, Receives, Unheeded, hand_in
from importcore.errors import InvalidRequestError, PolicyError, TransloadError, printable
from importcore.hooks.payload import BODY_BYTES_AT_MOST, Delivery
from importcore.hooks.proof import UnknownHookError, require_proof
from importcore.hooks.push_event import Heard
from importcore.hooks.senders import SENDERS, Sender
from importcore.request.callback import Callback, CallbackForm
from importcore.settings.model import Settings
from importcore.settings.values import HookSettings

_DOCKER_HUBS = frozenset({"hub.docker.com", "registry.hub.docker.com"})
_log = logging.getLogger("transload")


class DeliveryTooLargeError(TransloadError):
    """No sender of a push writes so much."""

    code = "delivery_too_large"

    def __init__(self) -> None:
        super().__init__(f"the body is larger than {BODY_BYTES_AT_MOST} bytes")


class Webhooks:
    """Takes deliveries."""

    def __init__(self, settings: Settings, reception: Receives, require_allowed: Callable[[Callback], None]) -> None:
        """Take what it needs; `require_allowed` raises where a callback must not or cannot be made."""
        self._settings = settings
        self._reception = reception
        self._require_allowed = require_allowed

    async def take(
        self, kind: str, name: str | None, body: bytes, headers: Mapping[str, str], address: str | None
    ) -> Heeded:
        """Take one delivery.

        Args:
            kind: The kind of its sender, as in the URL.
            name: The hook's own name, where it has one.
            body: As it came.
            headers: By lower-case name.
            address: Where it came from.

        Raises:
            UnknownHookError: There is no such kind, or no hook of that name.
            DeliveryTooLargeError: Nothing of it was read.
            HookRefusedError: It does not prove that it comes from its sender.
            MalformedEventError: It is not what its sender's documentation says.
            EventNotTakenError: It must be delivered again.
        """
        sender, hook = self.hook(kind, name)
        if len(body) > BODY_BYTES_AT_MOST:
            raise DeliveryTooLargeError
        require_proof(sender, hook, body, headers)
        heard = sender.read(Delivery(body, headers, hook.registry if hook else None))
        callback, refusal = self._callback(heard)
        full_name = f"{kind}/{name}" if name else kind
        heeded = await hand_in(heard, self._reception, Caller.by_hook(full_name, address), callback)
        _log.info("hook %s: %d imports, %d ignored", full_name, len(heeded.imports), len(heeded.ignored))
        refused = (Unheeded("callback_url", refusal.message),) if refusal else ()
        return replace(heeded, ignored=(*heeded.ignored, *refused), refusal=refusal)

    def hook(self, kind: str, name: str | None) -> tuple[Sender, HookSettings | None]:
        """Give the sender of a kind, and what the settings say about the hook where they know it.

        Raises:
            UnknownHookError: There is no such kind, or no hook of that name.
        """
        sender = SENDERS.get(kind)
        if sender is None:
            raise UnknownHookError(
                f"'{printable(kind, 40)}' is no kind of sender", action=f"The kinds are {', '.join(SENDERS)}."
            )
        hook = self._settings.hooks.get(f"{kind}/{name}" if name else kind)
        if name and hook is None:
            raise UnknownHookError(
                f"there is no hook {kind}/{printable(name, 64)}", action="Add it to the app setting TRANSLOAD_HOOKS."
            )
        return sender, hook

    def _callback(self, heard: Heard) -> tuple[Callback | None, TransloadError | None]:
        """Whom Docker Hub wants to be told; not whoever a stranger names, and nobody where the gate says no."""
        if heard.callback_url is None:
            return None, None
        try:
            callback = Callback.to(heard.callback_url, form=CallbackForm.DOCKER_HUB)
            if httpx.URL(callback.url).host not in _DOCKER_HUBS and not self._settings.notices.callback_hosts:
                raise PolicyError("it is not Docker Hub's, and TRANSLOAD_CALLBACK_HOSTS names no others")  # noqa: TRY301
            self._require_allowed(callback)
        except (InvalidRequestError, PolicyError) as error:
            return None, error
        return callback, None
