"""What is to be told when an import has ended, decided when it is accepted; and whether its callback may be made."""

import httpx

from importcore.errors import InvalidRequestError, PolicyError, UnsafeUrlError, printable
from importcore.registry.origin import OriginGate, netloc_of
from importcore.request.callback import URL_FIELD, Callback, CallbackForm
from importcore.sealing import Sealer
from importcore.settings.model import Settings
from importcore.state.notice import Channel, Notice


class WantedNotices:
    """Decides about the notices of an import that is being accepted."""

    def __init__(self, settings: Settings, gate: OriginGate, sealer: Sealer) -> None:
        self._settings = settings
        self._gate = gate
        self._sealer = sealer

    def require_allowed(self, callback: Callback | None) -> None:
        """Refuse a callback that this app must not or cannot make.

        A host that is configured as private is one of the operator's registries, most likely: a caller may send
        nothing there, unless the operator says so.

        Raises:
            InvalidRequestError: The origin gate does not let the URL pass.
            PolicyError: Callbacks go to other hosts only, or there is no key to sign with.
        """
        if callback is None:
            return
        url = httpx.URL(callback.url)
        try:
            self._gate.check(url)
        except UnsafeUrlError as error:
            raise InvalidRequestError.in_field(URL_FIELD, error.message, "unsafe_url") from error
        host, hosts = netloc_of(url).lower(), self._settings.notices.callback_hosts
        if not any(_fits(host, each) for each in hosts) and (hosts or self._settings.host(host).private):
            raise PolicyError(
                f"callbacks to {printable(host, 80)} are not allowed here",
                action="Add the host to the app setting TRANSLOAD_CALLBACK_HOSTS, or name an allowed one.",
            )
        if callback.form is CallbackForm.EVENT and not self._settings.notices.callback_keys:
            raise PolicyError(
                "callbacks are not configured here: there is no key to sign them with",
                action="Set the app setting TRANSLOAD_CALLBACK_KEYS to id:base64; `openssl rand -base64 32` makes one.",
            )

    def of(self, callback: Callback | None, import_id: str) -> tuple[Notice, ...]:
        """Make the notices of an import."""
        notices: list[Notice] = []
        if callback is not None:
            notices.append(
                Notice(
                    Channel.CALLBACK,
                    callback.on,
                    form=callback.form,
                    children=callback.children,
                    address=origin_of(callback.url),
                    sealed_url=self._sealer.seal(callback.url.encode(), import_id),
                )
            )
        rules = self._settings.notices
        if rules.events_endpoint is not None:
            address = origin_of(rules.events_endpoint)
            notices.append(Notice(Channel.EVENTS, rules.events_on, children=True, address=address))
        return tuple(notices)


def origin_of(url: str) -> str:
    """What may be shown of a URL: scheme and host."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{netloc_of(parsed)}"


def _fits(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
