"""How a broker is reached: a TCP or TLS endpoint of Twisted for an address."""

import re
import socket
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import crypto
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import (
    AcceptableCiphers,
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)

from cronq.broker.addresses import Address, Tls
from cronq.domain.errors import CronqError

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class CertificateUnusable(CronqError):
    """A file that should hold a certificate or its key does not, or the key's password is wrong."""


def endpoint_for(reactor: Any, address: Address) -> IStreamClientEndpoint:
    """The endpoint of an address. Its certificates are read anew each time: now and then they are renewed.

    Raises OSError and CertificateUnusable.
    """
    endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=address.socket_timeout)
    if address.tls is None:
        return endpoint
    return wrapClientTLS(_verification(address.tls), endpoint)


def set_socket_options(transport: Any, address: Address) -> None:
    """No delay, keepalive, and what the URL asks for."""
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    # Below TLS there is the transport that has the socket.
    handle = getattr(transport, "transport", transport).getHandle()
    for name, value in address.tcp_options.items():
        handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _verification(tls: Tls) -> Any:
    options: dict[str, Any] = {}
    if tls.ciphers is not None:
        options["acceptableCiphers"] = AcceptableCiphers.fromOpenSSLCipherString(tls.ciphers)
    if tls.certfile is not None:
        options |= _own_certificate(tls, tls.certfile)
    return optionsForClientTLS(tls.server_hostname, _trust(tls), extraCertificateOptions=options)


def _trust(tls: Tls) -> Any:
    if not (tls.cafile or tls.capath or tls.cadata):
        return platformTrust()
    files = [Path(tls.cafile)] if tls.cafile else []
    files += [path for path in Path(tls.capath).iterdir() if path.is_file()] if tls.capath else []
    text = b"\n".join([*(path.read_bytes() for path in files), (tls.cadata or "").encode()])
    try:
        found = [Certificate.loadPEM(block) for block in _CERTIFICATE.findall(text)]
    except crypto.Error as error:
        raise CertificateUnusable("a certificate of an authority cannot be read") from error
    if not found:
        raise CertificateUnusable(f"no certificate of an authority in {tls.cafile or tls.capath or 'cadata'}")
    return trustRootFromCertificates(found)


def _own_certificate(tls: Tls, certfile: str) -> dict[str, Any]:
    password = tls.password.encode() if tls.password is not None else None
    try:
        own, *chain = load_pem_x509_certificates(Path(certfile).read_bytes())
        key = load_pem_private_key(Path(tls.keyfile or certfile).read_bytes(), password)
    except (ValueError, TypeError) as error:
        raise CertificateUnusable(f"the certificate in {certfile} cannot be used: {error}") from error
    return {"privateKey": key, "certificate": own, "extraCertChain": chain}
