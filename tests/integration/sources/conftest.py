"""For the tests of sources: a certificate authority of one's own, and what it signs."""

from pathlib import Path

import pytest
import trustme

from devtools.testing import TlsFiles


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that only its owner trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A server's certificate for 127.0.0.1."""
    return _files(authority.issue_cert("127.0.0.1"), authority, tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="session")
def client_tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """A client's certificate."""
    return _files(authority.issue_cert("transload@client.example"), authority, tmp_path_factory.mktemp("client"))


def _files(certificate: trustme.LeafCert, authority: trustme.CA, folder: Path) -> TlsFiles:
    files = TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    certificate.private_key_pem.write_to_path(files.keyfile)
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(files.certfile, append=True)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return files
