"""Why there is no connection, in a few words for the person who has to mend it."""

from OpenSSL import SSL
from pika import exceptions
from service_identity import VerificationError
from twisted.internet import error as network

from cronq.broker.addresses import Address

#: Reply code of AMQP 0-9-1 for something that exists with other properties than those asked for.
PRECONDITION_FAILED = 406
_ACCESS_REFUSED = 403

_PLAIN_WORDS: dict[type[BaseException], str] = {
    network.ConnectionRefusedError: "connection refused",
    network.TCPTimedOutError: "no answer to the attempt to connect",
    network.TimeoutError: "no answer to the attempt to connect",
    network.ConnectionDone: "it closed the connection",
    network.ConnectionLost: "the connection was lost",
    network.ConnectionAborted: "the connection was lost",
    exceptions.ConnectionClosedByClient: "this side has closed the connection",
    exceptions.ChannelClosedByClient: "this side has closed the connection",
    exceptions.AMQPHeartbeatTimeout: "no heartbeat arrives",
    exceptions.ConnectionBlockedTimeout: "blocked for longer than blocked_connection_timeout",
    exceptions.IncompatibleProtocolError: "it does not speak AMQP 0-9-1, or wants TLS",
}


def explain(error: BaseException, address: Address) -> str:
    """One clause without the password, such as `connection refused`."""
    match error:
        case exceptions.ConnectionClosedByBroker(reply_code=code) if code == _ACCESS_REFUSED:
            return f"ACCESS_REFUSED for user {address.user}: wrong name or password, or not from here"
        case exceptions.ConnectionClosedByBroker() | exceptions.ChannelClosedByBroker():
            return str(error.reply_text)
        case SSL.Error():
            return f"TLS failure: {_openssl_reasons(error)}"
        case VerificationError():
            name = address.tls.server_hostname if address.tls else address.host
            return f"TLS failure: the certificate is not for {name}"
        case _:
            return _PLAIN_WORDS.get(type(error)) or str(error).rstrip(".") or type(error).__name__


def _openssl_reasons(error: Exception) -> str:
    reasons = [reason for _, _, reason in error.args[0]] if error.args else []
    return ", ".join(reasons) or "the handshake was broken off"
