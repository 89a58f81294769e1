"""RabbitMQ over TLS: always verified, by the authorities and the name that the URL gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from twisted.internet import reactor
from twisted.internet.endpoints import SSL4ServerEndpoint
from twisted.internet.ssl import Certificate, CertificateOptions
from twisted.logger import capturedLogs, formatEvent
from twisted.protocols.portforward import ProxyFactory

from tests.broker.harness import job
from tests.integration.amqp import AmqpTestCase
from tests.integration.certificates import Authority
from tests.servers import rabbitmq


def own_lines(said: Sequence[dict[str, Any]]) -> list[str]:
    """What cronq said, without the server of the test."""
    return [formatEvent(event) for event in said if event["log_namespace"].startswith("cronq")]


class AmqpTlsTests(AmqpTestCase):
    """The broker's TLS side is a Twisted server in front of it, so that no second broker is needed."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.authority = Authority(self.folder, "authority")

    async def tls_url(self, options: dict[str, Any], certificate: Path, clients: Path | None = None) -> str:
        """Listen with a certificate, asking clients for one that `clients` gave; the URL to come by."""
        pem = certificate.read_bytes()
        # Twisted's types are older than what OpenSSL's Python side now asks for.
        own: tuple[Any, Any] = load_pem_private_key(pem, None), load_pem_x509_certificate(pem)
        trust = None if clients is None else Certificate.loadPEM(clients.read_bytes())
        context = CertificateOptions(*own, trustRoot=trust)
        listening = await SSL4ServerEndpoint(reactor, 0, context, interface="127.0.0.1").listen(
            ProxyFactory("127.0.0.1", rabbitmq().port)
        )
        self.addCleanup(listening.stopListening)
        url = self.url.replace("amqp:", "amqps:").replace(str(rabbitmq().port), str(listening.getHost().port))
        return f"{url}?ssl_options={quote(repr(options))}"

    async def connects(self, url: str) -> None:
        client = self.client_of(url)
        client.startService()
        await client.when_connected()
        await self.publish(client, job(1))
        await client.stopService()

    async def fault(self, url: str) -> str:
        client = self.client_of(url)
        with capturedLogs() as said:
            client.startService()
            await self.until(lambda: bool(own_lines(said)))
        await client.stopService()
        self.assertEqual(self.flushLoggedErrors(), [])
        return own_lines(said)[0]

    async def test_authority_in_a_file_a_folder_or_the_url(self) -> None:
        """The three ways to name whom one trusts."""
        certificate = self.authority.give("127.0.0.1")
        for options in (
            {"cafile": str(self.authority.file)},
            {"capath": str(self.folder)},
            {"cadata": self.authority.file.read_text()},
        ):
            await self.connects(await self.tls_url(options, certificate))

    async def test_unknown_authority(self) -> None:
        """A certificate that the system's authorities do not know is refused."""
        text = await self.fault(await self.tls_url({}, self.authority.give("127.0.0.1")))
        self.assertIn("TLS failure: certificate verify failed", text)

    async def test_certificate_of_another_host(self) -> None:
        """The name in the certificate decides, which may be said to differ from the address."""
        certificate = self.authority.give("rabbit.example")
        options = {"cafile": str(self.authority.file)}
        text = await self.fault(await self.tls_url(options, certificate))
        self.assertIn("TLS failure: the certificate is not for 127.0.0.1", text)
        await self.connects(await self.tls_url(options | {"server_hostname": "rabbit.example"}, certificate))

    async def test_certificate_of_our_own(self) -> None:
        """A broker that asks for a certificate gets ours, whose key may have a password."""
        own = self.authority.give("runner", password="hush")
        server = self.authority.give("127.0.0.1")
        options = {"cafile": str(self.authority.file)}
        text = await self.fault(await self.tls_url(options, server, clients=self.authority.file))
        self.assertIn("no connection to the broker", text)
        options |= {"certfile": str(own), "password": "hush"}
        await self.connects(await self.tls_url(options, server, clients=self.authority.file))

    async def test_certificates_that_cannot_be_read(self) -> None:
        """A missing file, a file without a certificate and a wrong password are causes like any other."""
        server = self.authority.give("127.0.0.1")
        own = self.authority.give("runner", password="hush")
        nothing = self.folder / "nothing"
        text = await self.fault(await self.tls_url({"cafile": str(nothing)}, server))
        self.assertIn(f"No such file or directory: '{nothing}'", text)
        nothing.write_text("nothing")
        text = await self.fault(await self.tls_url({"cafile": str(nothing)}, server))
        self.assertIn(f"no certificate of an authority in {nothing}", text)
        text = await self.fault(await self.tls_url({"certfile": str(nothing)}, server))
        self.assertIn(f"the certificate in {nothing} cannot be used: ", text)
        text = await self.fault(await self.tls_url({"certfile": str(own), "password": "wr0ng"}, server))
        self.assertIn(f"the certificate in {own} cannot be used: ", text)
        self.assertNotIn("wr0ng", text)

    async def test_ciphers(self) -> None:
        """The ciphers of the URL are those that are offered."""
        options = {"cafile": str(self.authority.file), "ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384"}
        await self.connects(await self.tls_url(options, self.authority.give("127.0.0.1")))

    async def test_options_of_the_socket(self) -> None:
        """`tcp_options` reach the socket below TLS."""
        url = await self.tls_url({"cafile": str(self.authority.file)}, self.authority.give("127.0.0.1"))
        await self.connects(f"{url}&tcp_options={{'TCP_KEEPIDLE':60}}")
