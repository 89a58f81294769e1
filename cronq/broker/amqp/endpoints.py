"""How a broker is reached: a TCP or TLS endpoint of Twisted for an address."""

import re
import socket
from pathlib import Path
from typing import Any

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

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def endpoint_for(reactor: Any, address: Address) -> IStreamClientEndpoint:
    """The endpoint of an address. Its certificates are read anew each time: now and then they are renewed.

    Raises OSError and OpenSSL.crypto.Error for what cannot be read.
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
    files = [Path(tls.cafile)] if tls.cafile else []
    files += [path for path in Path(tls.capath).iterdir() if path.is_file()] if tls.capath else []
    texts = [path.read_bytes() for path in files] + ([tls.cadata.encode()] if tls.cadata else [])
    if not texts:
        return platformTrust()
    found = [block for text in texts for block in _CERTIFICATE.findall(text)]
    return trustRootFromCertificates([Certificate.loadPEM(block) for block in found])


def _own_certificate(tls: Tls, certfile: str) -> dict[str, Any]:
    blocks = _CERTIFICATE.findall(Path(certfile).read_bytes())
    own, *chain = (crypto.load_certificate(crypto.FILETYPE_PEM, block) for block in blocks)
    key = Path(tls.keyfile or certfile).read_bytes()
    password = tls.password.encode() if tls.password is not None else None
    return {
        "privateKey": crypto.load_privatekey(crypto.FILETYPE_PEM, key, password),
        "certificate": own,
        "extraCertChain": chain,
    }
