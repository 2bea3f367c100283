"""Faults of TLS that will not pass by themselves, told apart from those of the network, with what mends each."""

import ssl

from importcore.errors import UnsafeUrlError, printable

_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
_WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "HANDSHAKE_FAILURE")


def tls_refusal(error: ssl.SSLError, host: str) -> UnsafeUrlError | None:
    """Make the error for a TLS fault that asking again does not mend; None for any other.

    Args:
        error: What OpenSSL said.
        host: `host[:port]` of the other side.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = printable(getattr(error, "verify_message", "") or str(error), 120)
        return UnsafeUrlError(
            f"refused to go on with {host}: its certificate is not trusted ({reason})",
            action='If its certificate authority is yours: name it as "caFile" of this host in TRANSLOAD_REGISTRIES.',
        )
    said = (getattr(error, "reason", "") or str(error)).upper()  # OpenSSL's errors have one, others only words
    if any(word in said for word in _NO_TLS):
        return UnsafeUrlError(
            f"refused to go on with {host}: it does not speak TLS",
            action='If it is yours, inside a closed network: set "plainHttp" of this host in TRANSLOAD_REGISTRIES.',
        )
    if any(word in said for word in _WANTS_CERTIFICATE):
        return UnsafeUrlError(
            f"{host} refused this app's side of TLS ({printable(said.lower().replace('_', ' '), 80)})",
            action='If it wants a client certificate: set "clientCertFile" and "clientKeyFile" of this host in '
            "TRANSLOAD_REGISTRIES.",
        )
    return None
