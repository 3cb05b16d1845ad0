"""A server with TLS, and the authority that vouches for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme

from tests.fault_server import FaultServer


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority that no system trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls_server(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaultServer]:
    """The fault server behind a certificate of that authority."""
    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with FaultServer(certificate=pem) as server:
        yield server
