"""Broker URLs: what users write, and what they are told when it cannot be used."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.broker.addresses import Address, BadAddress, Tls, parse_addresses

TEXT = st.text(st.characters(codec="utf-8"), min_size=1)


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


class AddressTests(SynchronousTestCase):
    def one(self, url: str) -> Address:
        (address,) = parse_addresses(url)
        return address

    def refused(self, url: str) -> str:
        return str(self.assertRaises(BadAddress, parse_addresses, url))

    def test_plain(self) -> None:
        """The default of the setting: everything is RabbitMQ's own default."""
        self.assertEqual(self.one("amqp://guest:guest@localhost/"), Address("localhost", 5672))
        self.assertEqual(self.one("amqp://"), Address("localhost", 5672, "guest", "guest", "/"))

    def test_all_parts(self) -> None:
        """User, password, host, port and vhost, each with its special characters percent-encoded."""
        self.assertEqual(
            self.one("amqp://a%40b:p%2Fw%3A@rabbit.example:5673/pro%2Fd"),
            Address("rabbit.example", 5673, "a@b", "p/w:", "pro/d"),
        )

    @given(TEXT, TEXT, TEXT)
    def test_whatever_is_percent_encoded_is_taken_as_it_is(
        self, user: str, password: str, vhost: str
    ) -> None:
        """No name or password is impossible."""
        address = self.one(f"amqp://{quoted(user)}:{quoted(password)}@host/{quoted(vhost)}")
        self.assertEqual((address.user, address.password, address.virtual_host), (user, password, vhost))

    def test_vhost_slash(self) -> None:
        """The default vhost, in every spelling that is in use."""
        for url in ("amqp://host", "amqp://host/", "amqp://host/%2F", "amqp://host//"):
            self.assertEqual(self.one(url).virtual_host, "/")

    def test_user_without_a_password(self) -> None:
        """An empty password, not the guest's."""
        self.assertEqual((self.one("amqp://me@host").user, self.one("amqp://me@host").password), ("me", ""))

    def test_several_hosts(self) -> None:
        """In the order given, with one user and vhost for all."""
        self.assertEqual(
            parse_addresses("amqp://u:p@one,two:5673,[::1]:5674/v?heartbeat=20"),
            tuple(
                Address(host, port, "u", "p", "v", heartbeat=20)
                for host, port in (("one", 5672), ("two", 5673), ("::1", 5674))
            ),
        )

    def test_several_urls(self) -> None:
        """Whole URLs joined by commas, where user or vhost differ; a comma in a password joins nothing."""
        self.assertEqual(
            parse_addresses("amqp://u:p,w@one/v,amqps://x:y@two/w"),
            (Address("one", 5672, "u", "p,w", "v"), Address("two", 5671, "x", "y", "w", Tls("two"))),
        )

    def test_shown_without_the_password(self) -> None:
        """What gets into logs is the place alone, and even a developer's view hides the password."""
        address = self.one("amqps://me:hush@[::1]:5/?ssl_options={'keyfile':'k','password':'hush'}")
        self.assertEqual(str(address), "[::1]:5")
        self.assertNotIn("hush", repr(address))

    def test_tls(self) -> None:
        """`amqps` verifies against the system's authorities and the host's own name."""
        self.assertEqual(self.one("amqps://host").tls, Tls("host"))
        self.assertEqual(self.one("amqps://host").port, 5671)

    def test_tls_options(self) -> None:
        """The options of pika's URL, in both spellings of authorities."""
        self.assertEqual(
            self.one(
                "amqps://host/?ssl_options={'ca_certs':'ca.pem','certfile':'me.pem','server_hostname':'n'}"
            ).tls,
            Tls("n", cafile="ca.pem", certfile="me.pem"),
        )
        self.assertEqual(
            self.one("amqps://host/?ssl_options=%7B'capath':'/ca'%7D").tls, Tls("host", capath="/ca")
        )

    def test_parameters(self) -> None:
        """The other parameters of pika's URL."""
        address = self.one(
            "amqp://host/?heartbeat=0&blocked_connection_timeout=1.5&socket_timeout=2&stack_timeout=3&frame_max=8192"
            "&channel_max=9&locale=de_DE&client_properties={'team':'ops'}&tcp_options={'TCP_KEEPIDLE':60}"
        )
        self.assertEqual(
            address,
            Address(
                "host",
                heartbeat=0,
                blocked_connection_timeout=1.5,
                socket_timeout=2,
                stack_timeout=3,
                frame_max=8192,
                channel_max=9,
                locale="de_DE",
                client_properties={"team": "ops"},
                tcp_options={"TCP_KEEPIDLE": 60},
            ),
        )

    def test_parameters_of_other_programs_are_ignored(self) -> None:
        """A URL that also serves a program which gives up some time may be used as it is."""
        self.assertEqual(self.one("amqp://host/?connection_attempts=3&retry_delay=5"), Address("host"))

    def test_faults_say_what_is_allowed(self) -> None:
        """One sentence that helps, for every kind of fault."""
        for url, expected in {
            "http://host": "amqp:// or amqps://",
            "host:5672": "amqp:// or amqps://",
            "amqp://host:0": "NAME or NAME:PORT",
            "amqp://host:70000": "NAME or NAME:PORT",
            "amqp://host:five": "NAME or NAME:PORT",
            "amqp://::1": "NAME or NAME:PORT",
            "amqp://host/?hartbeat=1": "after the ? there may be heartbeat,",
            "amqp://host/?heartbeat=1&heartbeat=2": "heartbeat is there twice",
            "amqp://host/?heartbeat=soon": "heartbeat must be a whole number of seconds, 0 to 65535",
            "amqp://host/?heartbeat=-1": "heartbeat must be",
            "amqp://host/?socket_timeout=0": "socket_timeout must be a number of seconds, more than 0",
            "amqp://host/?socket_timeout=nan": "socket_timeout must be",
            "amqp://host/?socket_timeout=inf": "socket_timeout must be",
            "amqp://host/?frame_max=1": "frame_max must be a whole number of bytes, 4096 to 131072",
            "amqp://host/?client_properties=x": "client_properties must be a dictionary",
            "amqp://host/?client_properties={1:2}": "client_properties must be a dictionary",
            "amqp://host/?tcp_options={'TCP_NONSENSE':1}": "tcp_options must be a dictionary",
            "amqp://host/?ssl_options={'cafile':'x'}": "ssl_options is for amqps://",
            "amqps://host/?ssl_options={'verify':False}": "ssl_options must be a dictionary as Python writes",
            "amqps://host/?ssl_options={": "ssl_options must be",
        }.items():
            self.assertIn(expected, self.refused(url))

    def test_faults_never_show_a_password(self) -> None:
        """Least of all when the password is what cannot be read."""
        for url in (
            "amqp://me:hush/hush@host/",
            "amqp://me:hush?hush@host/",
            "amqp://me:hush?hush=1@host/",
            "amqp://me:hush@host:hush/",
            "amqps://host/?ssl_options={'password':'hush','x':1}",
            "hush://me:hush@host",
        ):
            self.assertNotIn("hush", self.refused(url))
