"""TLS faults that asking again does not mend: told apart by what OpenSSL says, each with the setting that helps."""

import ssl

import pytest

from importcore.registry.tls_faults import tls_refusal


def fault(reason: str, kind: type[ssl.SSLError] = ssl.SSLError) -> ssl.SSLError:
    """An error as OpenSSL makes it."""
    error = kind(1, f"[SSL: {reason}] {reason.lower().replace('_', ' ')} (_ssl.c:1006)")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "setting"),
    [
        ("WRONG_VERSION_NUMBER", "plainHttp"),
        ("HTTP_REQUEST", "plainHttp"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "clientCertFile"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "clientCertFile"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "clientCertFile"),
    ],
)
def test_what_will_not_pass_names_the_setting_that_would_help(reason: str, setting: str) -> None:
    """And the host; it is not retried."""
    refusal = tls_refusal(fault(reason), "registry.example:5000")

    assert refusal is not None
    assert "registry.example:5000" in refusal.message
    assert setting in refusal.action
    assert not refusal.retryable


def test_an_untrusted_certificate_says_why() -> None:
    """In OpenSSL's own words, made safe."""
    error = fault("CERTIFICATE_VERIFY_FAILED", ssl.SSLCertVerificationError)
    error.verify_message = "certificate\nhas expired"  # type: ignore[attr-defined]

    refusal = tls_refusal(error, "registry.example")

    assert refusal is not None
    assert "(certificate has expired)" in refusal.message
    assert "caFile" in refusal.action


@pytest.mark.parametrize("reason", ["UNEXPECTED_EOF_WHILE_READING", "SSLV3_ALERT_BAD_RECORD_MAC", "APPLICATION_DATA"])
def test_any_other_fault_may_pass(reason: str) -> None:
    """It is the network's, and retried as such."""
    assert tls_refusal(fault(reason), "registry.example") is None


def test_a_fault_without_a_reason_is_read_from_its_words() -> None:
    """Some come as text alone."""
    assert tls_refusal(ssl.SSLError("[SSL: WRONG_VERSION_NUMBER]"), "registry.example") is not None
    assert tls_refusal(ssl.SSLError(), "registry.example") is None
