"""The private servers themselves: what other tests take for granted when they use them."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import pika
from twisted.trial.unittest import SynchronousTestCase

from tests import servers
from tests.servers import keeper
from tests.servers.server import wait_until

_PERSISTENT = pika.BasicProperties(delivery_mode=2)


def _nothing_failed() -> None:
    return None


def publish(url: str, queue: str, text: bytes) -> None:
    """Declare a durable queue and put one message into it, confirmed."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel = connection.channel()
        channel.queue_declare(queue, durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", queue, text, _PERSISTENT)


class RabbitMQTests(SynchronousTestCase):
    def test_vhosts_are_apart(self) -> None:
        """Two tests that take a vhost each do not see each other's queues."""
        broker = servers.rabbitmq()
        mine, other = broker.new_vhost(), broker.new_vhost()
        publish(mine, "jobs", b"1")
        self.assertEqual(broker.queue_lengths(mine), {"jobs": 1})
        self.assertEqual(broker.queue_lengths(other), {})

    def test_default_vhost(self) -> None:
        """The URL without a name is the default vhost, as in RabbitMQ's own URLs."""
        broker = servers.rabbitmq()
        publish(broker.url, "jobs", b"1")
        self.assertEqual(broker.queue_lengths(f"{broker.url}%2F"), {"jobs": 1})

    def test_dropped_vhost_is_gone(self) -> None:
        """A dropped vhost refuses connections."""
        broker = servers.rabbitmq()
        url = broker.new_vhost()
        broker.drop_vhost(url)
        self.assertRaises(pika.exceptions.AMQPError, publish, url, "jobs", b"1")

    def test_user_with_few_rights(self) -> None:
        """A user may do what its expression allows and nothing else, whatever characters its name has."""
        broker = servers.rabbitmq()
        url = broker.new_vhost()
        limited = broker.add_user("some/one", "p@ss:word", url, allowed="^(mine|amq\\.default)$")
        publish(limited, "mine", b"1")
        self.assertRaises(pika.exceptions.ChannelClosedByBroker, publish, limited, "other", b"1")
        self.assertEqual(broker.queue_names(url), ["mine"])

    def test_messages_outlive_kill_and_restart(self) -> None:
        """A confirmed message is there after kill -9 and after an orderly restart, at the same address."""
        broker = servers.RabbitMQ()
        self.addCleanup(broker.discard)
        broker.start()
        url = broker.new_vhost()
        publish(url, "jobs", b"1")
        broker.kill()
        self.assertFalse(broker.running)
        # Which queues there are, the management of the broker knows a moment after it has started.
        for begin in (broker.start, broker.restart):
            begin()
            wait_until(lambda: broker.queue_names(url) == ["jobs"], _nothing_failed)
            self.assertEqual(broker.queue_lengths(url), {"jobs": 1})


class MariaDBTests(SynchronousTestCase):
    def test_databases_are_apart(self) -> None:
        """Two tests that take a database each do not see each other's tables."""
        database = servers.mariadb()
        mine, other = database.new_database(), database.new_database()
        database.execute("CREATE TABLE t (a INT)", url=mine)
        self.assertEqual(database.execute("SHOW TABLES", url=mine), [("t",)])
        self.assertEqual(database.execute("SHOW TABLES", url=other), [])

    def test_all_of_unicode(self) -> None:
        """A character of four bytes is kept."""
        database = servers.mariadb()
        url = database.new_database()
        database.execute("CREATE TABLE t (a VARCHAR(20))", url=url)
        database.execute("INSERT INTO t VALUES (%s)", "🐇", url=url)
        self.assertEqual(database.execute("SELECT a FROM t", url=url), [("🐇",)])

    def test_dropped_database_is_gone(self) -> None:
        """A dropped database is in no list."""
        database = servers.mariadb()
        url = database.new_database()
        name = url.rpartition("/")[2]
        self.assertIn((name,), database.execute("SHOW DATABASES"))
        database.drop_database(url)
        self.assertNotIn((name,), database.execute("SHOW DATABASES"))

    def test_rows_outlive_kill_and_restart(self) -> None:
        """A committed row is there after kill -9 and after an orderly restart, at the same address."""
        database = servers.MariaDB()
        self.addCleanup(database.discard)
        database.start()
        database.execute("CREATE TABLE t (a INT)", url=database.url)
        database.execute("INSERT INTO t VALUES (1)", url=database.url)
        database.kill()
        self.assertFalse(database.running)
        database.start()
        database.restart()
        self.assertEqual(database.execute("SELECT a FROM t", url=database.url), [(1,)])

    def test_pause(self) -> None:
        """A paused server accepts clients and lets them wait; resumed, it greets them."""
        database = servers.MariaDB()
        self.addCleanup(database.discard)
        database.start()
        database.pause()
        with socket.create_connection(("127.0.0.1", database.port), timeout=0.2) as client:
            self.assertRaises(TimeoutError, client.recv, 1000)
            database.resume()
            client.settimeout(30)
            self.assertIn(b"MariaDB", client.recv(1000))

    def test_wrong_option(self) -> None:
        """A server that does not start says why, with the end of its log."""
        database = servers.MariaDB("--no-such-option")
        self.addCleanup(database.discard)
        error = self.assertRaises(servers.ServerFailed, database.start)
        self.assertIn("no-such-option", str(error))

    def test_not_installed(self) -> None:
        """Without MariaDB the tests fail, and say which package to install."""
        database = servers.MariaDB()
        self.addCleanup(database.discard)
        with mock.patch("shutil.which", return_value=None):
            error = self.assertRaises(servers.ProgramMissing, database.start)
        self.assertIn("apt-get install mariadb-server", str(error))


_TESTS = """
import sys
from tests import servers
print(servers.mariadb().folder, flush=True)
sys.stdin.read()
"""


class SandboxTests(SynchronousTestCase):
    def test_killed_test_process(self) -> None:
        """What a test process started ends with it even when it is killed, and its files go too."""
        with subprocess.Popen(
            [sys.executable, "-c", _TESTS],
            cwd=servers.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as tests:
            assert tests.stdout is not None
            folder = Path(tests.stdout.readline().strip())
            self.assertNotEqual(keeper.processes_of(folder), [])
            tests.kill()
        wait_until(lambda: not folder.parent.exists(), _nothing_failed)
        self.assertEqual(keeper.processes_of(folder.parent), [])

    def test_daemonized_process(self) -> None:
        """A process that left its session and its parent still belongs to its folder."""
        folder = servers.sandbox().new_folder("daemonized")
        command = "setsid sh -c 'sleep 1000 >/dev/null & echo $!'"
        made = subprocess.check_output(["sh", "-c", command], env=keeper.mark(folder), text=True)
        self.assertEqual(keeper.processes_of(folder), [int(made)])
        keeper.kill_all(folder)
        self.assertEqual(keeper.processes_of(folder), [])


class DaemonTests(SynchronousTestCase):
    def _web(self) -> tuple[servers.Daemon, str]:
        port = servers.free_port()
        daemon = servers.Daemon("web", "--listen", f"tcp:{port}:interface=127.0.0.1", "--path", ".")
        self.addCleanup(daemon.discard)
        daemon.start()
        daemon.wait_for_line("Site starting")
        return daemon, f"http://127.0.0.1:{port}"

    def test_answers_and_ends(self) -> None:
        """A daemon is started, asked and ended in an orderly way."""
        daemon, url = self._web()
        self.assertEqual(servers.http_get(f"{url}/nothing").status, 404)
        self.assertEqual(daemon.terminate(), -signal.SIGTERM)
        self.assertFalse(daemon.running)
        self.assertIn("Server Shut Down", daemon.output)

    def test_started_again_after_kill(self) -> None:
        """A killed daemon is started again; what it said before stays readable."""
        daemon, url = self._web()
        daemon.kill()
        before = len(daemon.lines)
        daemon.start()
        daemon.wait_for_line("Site starting", after=before)
        self.assertEqual(servers.http_get(url).status, 200)

    def test_line_that_never_comes(self) -> None:
        """Waiting for what a daemon never says fails as soon as it has ended, and shows what it said."""
        daemon = servers.Daemon("no-such-daemon")
        self.addCleanup(daemon.discard)
        daemon.start()
        error = self.assertRaises(AssertionError, daemon.wait_for_line, "never")
        self.assertIn("Unknown command: no-such-daemon", str(error))


class ProxyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        self.addCleanup(self.server.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=self._echo, daemon=True).start()
        self.proxy = servers.Proxy(self.server.getsockname()[1])
        self.addCleanup(self.proxy.close)

    def _echo(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                threading.Thread(target=self._echo_one, args=(connection,), daemon=True).start()

    def _echo_one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1000):
                connection.sendall(data)

    def _connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=30)
        self.addCleanup(client.close)
        return client

    def _said_back(self, client: socket.socket, text: bytes) -> bytes:
        client.sendall(text)
        return client.recv(1000)

    def test_forwards(self) -> None:
        """Bytes pass both ways, and the end of the connection too."""
        client = self._connect()
        self.assertEqual(self._said_back(client, b"hello"), b"hello")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(client.recv(1000), b"")

    def test_cut(self) -> None:
        """A cut ends the connections that there are; a new one is let through."""
        client = self._connect()
        self._said_back(client, b"hello")
        self.proxy.cut()
        self.assertEqual(self._rest(client), b"")
        self.assertEqual(self._said_back(self._connect(), b"again"), b"again")

    def test_refuse(self) -> None:
        """While it refuses, nobody connects, until it is restored at the same port."""
        client = self._connect()
        self._said_back(client, b"hello")
        self.proxy.refuse()
        self.assertEqual(self._rest(client), b"")
        self.assertRaises(ConnectionRefusedError, self._connect)
        self.proxy.restore()
        self.assertEqual(self._said_back(self._connect(), b"again"), b"again")

    def test_hang(self) -> None:
        """While it hangs, nothing arrives and nothing ends; restored, what was held back arrives."""
        client = self._connect()
        self.proxy.hang()
        client.sendall(b"hello")
        client.settimeout(0.2)
        self.assertRaises(TimeoutError, client.recv, 1000)
        client.settimeout(30)
        self.proxy.restore()
        self.assertEqual(client.recv(1000), b"hello")

    def test_url(self) -> None:
        """A server's URL is turned into one that leads through the proxy."""
        url = self.proxy.url("mysql+pymysql://root@127.0.0.1:3306/cronq?charset=utf8mb4")
        self.assertEqual(url, f"mysql+pymysql://root@127.0.0.1:{self.proxy.port}/cronq?charset=utf8mb4")

    def test_server_that_is_not_there(self) -> None:
        """A proxy in front of nothing ends each connection at once."""
        proxy = servers.Proxy(servers.free_port())
        self.addCleanup(proxy.close)
        # A reset may be seen while still connecting.
        address = ("127.0.0.1", proxy.port)
        with contextlib.suppress(ConnectionError), socket.create_connection(address, timeout=30) as client:
            self.assertEqual(client.recv(1000), b"")

    def _rest(self, client: socket.socket) -> Any:
        try:
            return client.recv(1000)
        except ConnectionResetError:
            return b""
