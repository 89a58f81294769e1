"""A private RabbitMQ that shares nothing with the machine's own: neither port nor cookie nor name service."""

import base64
import contextlib
import http.client
import itertools
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pika

from tests.servers.sandbox import free_port
from tests.servers.server import Server, ServerFailed, program

_CREDENTIALS = base64.b64encode(b"guest:guest").decode()

_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
collect_statistics_interval = 1000
disk_free_limit.absolute = 10MB
log.console = true
log.file = false
"""


class RabbitMQ(Server):
    """RabbitMQ with the user guest; `new_vhost` gives each test a broker of its own within milliseconds.

    Vhosts and users are made through the management plugin: `rabbitmqctl` takes a second for each.
    """

    def __init__(self, configuration: str = "") -> None:
        super().__init__("rabbitmq")
        self.port, self._management_port, self._dist_port, self._epmd_port = (free_port() for _ in range(4))
        self._vhosts = itertools.count(1)
        # The wrapper of this name in /usr/sbin changes the user and uses the folders of the machine's own.
        self._program = program("rabbitmq-server", "rabbitmq-server", "/usr/lib/rabbitmq/bin")
        ports = {"port": self.port, "management_port": self._management_port}
        self._write("rabbitmq.conf", _CONFIGURATION.format(**ports) + configuration)
        self._write("enabled_plugins", "[rabbitmq_management].")
        self._write("advanced.config", "[].")
        self._write("environment", "")
        for name in ("conf.d", "data", "log"):
            (self.folder / name).mkdir()

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def _command(self) -> list[str]:
        return [self._program]

    def _environment(self) -> dict[str, str]:
        return {
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "conf.d"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment"),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/overview")
            _connect(self.url).close()
        except (OSError, ServerFailed, http.client.HTTPException, pika.exceptions.AMQPError):
            return False
        return True

    @property
    def version(self) -> str:
        """Of the server."""
        return str(self._ask("GET", "/overview")["rabbitmq_version"])

    def new_vhost(self) -> str:
        """The URL of a new and empty vhost, in which guest may do everything."""
        return self.add_vhost(f"test-{next(self._vhosts)}")

    def add_vhost(self, name: str) -> str:
        """The URL of a new and empty vhost of this name."""
        self._ask("PUT", f"/vhosts/{name}", {})
        return f"{self.url}{name}"

    def drop_vhost(self, url: str) -> None:
        """Remove a vhost with all its queues; connections to it are closed by the broker."""
        self._ask("DELETE", f"/vhosts/{_vhost(url)}")

    def add_user(self, name: str, password: str, url: str, allowed: str = ".*") -> str:
        """Add a user, or give it another password; answers the URL with which it sees the vhost of `url`.

        `allowed` is a regular expression over the names that the user may configure, write and read.
        """
        self._ask("PUT", f"/users/{quote(name, safe='')}", {"password": password, "tags": ""})
        rights = {"configure": allowed, "write": allowed, "read": allowed}
        self._ask("PUT", f"/permissions/{_vhost(url)}/{quote(name, safe='')}", rights)
        return url.replace("guest:guest", f"{quote(name, safe='')}:{quote(password, safe='')}")

    def queue_names(self, url: str) -> list[str]:
        """The queues of the vhost of `url`, sorted."""
        return sorted(queue["name"] for queue in self._ask("GET", f"/queues/{_vhost(url)}?columns=name"))

    def routing_keys(self, url: str, queue: str) -> list[str]:
        """The keys by which a queue of the vhost of `url` is bound to exchanges with a name, sorted."""
        bindings = self._ask("GET", f"/bindings/{_vhost(url)}")
        return sorted(
            each["routing_key"] for each in bindings if each["source"] and each["destination"] == queue
        )

    def queue_lengths(self, url: str) -> dict[str, int]:
        """How many messages are ready in each queue, by name; asked of the queues, so it is true now."""
        with contextlib.closing(_connect(url)) as connection:
            channel = connection.channel()
            return {
                name: channel.queue_declare(name, passive=True).method.message_count
                for name in self.queue_names(url)
            }

    def set_policy(self, url: str, pattern: str, definition: Mapping[str, object]) -> None:
        """Apply a policy to the queues and exchanges whose name matches `pattern`."""
        body = {"pattern": pattern, "definition": definition}
        self._ask("PUT", f"/policies/{_vhost(url)}/test", body)

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        headers = {"Authorization": f"Basic {_CREDENTIALS}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._management_port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, f"/api{path}", None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        if response.status >= http.client.BAD_REQUEST:
            raise ServerFailed(f"RabbitMQ answers {response.status} to {method} {path}: {text.decode()}")
        return json.loads(text) if text else None


def _vhost(url: str) -> str:
    return quote(unquote(urlsplit(url).path[1:]) or "/", safe="")


def _connect(url: str) -> Any:
    return pika.BlockingConnection(pika.URLParameters(url))
