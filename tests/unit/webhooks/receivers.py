"""Receivers of webhooks over real sockets on this machine, with TLS by an authority of the test's own."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.clock import SystemClock

LOOPBACK = "127.0.0.1"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"

Speak = Callable[[socket.socket, bytes], None]


@dataclass
class Receiver:
    """A server that takes one request a connection, keeps it, and says what it is told to."""

    speak: Speak
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """The name that each TLS client asked for (SNI)."""
    connections: int = 0
    greeting: bytes = b""
    """What it says before it is asked anything, as some protocols do."""


def say(answer: bytes) -> Speak:
    """An answer, and no more."""

    def speak(line: socket.socket, _: bytes) -> None:
        line.sendall(answer)

    return speak


@contextmanager
def receiving(speak: Speak, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens while the context is open."""
    receiver = Receiver(speak)
    if context:
        context.sni_callback = lambda _line, name, _context: receiver.names.append(name)
    with socket.create_server((LOOPBACK, 0)) as listening:
        receiver.port = listening.getsockname()[1]
        serving = threading.Thread(target=_serve, args=(listening, receiver, context), daemon=True)
        serving.start()
        try:
            yield receiver
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listening: socket.socket, receiver: Receiver, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        receiver.connections += 1
        with suppress(OSError), line:
            line.sendall(receiver.greeting)
            if context:
                with context.wrap_socket(line, server_side=True) as secure:
                    _take(secure, receiver)
            else:
                _take(line, receiver)


def _take(line: socket.socket, receiver: Receiver) -> None:
    request = b""
    while b"\r\n\r\n" not in request or len(request) < _length(request):
        piece = line.recv(65_536)
        if not piece:
            return
        request += piece
    receiver.requests.append(request)
    receiver.speak(line, request)


def _length(request: bytes) -> int:
    head, _, _ = request.partition(b"\r\n\r\n")
    sizes = [row.split(b":")[1] for row in head.lower().splitlines() if row.startswith(b"content-length")]
    return len(head) + 4 + int(sizes[0] if sizes else 0)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody but the test trusts."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def trust(self) -> ssl.SSLContext:
        """What a client that trusts it uses."""
        pem = _certificate("Test authority", self.key, self.key, None).public_bytes(serialization.Encoding.PEM)
        return ssl.create_default_context(cadata=pem.decode())

    def serve(self, name: str) -> ssl.SSLContext:
        """What a server of that name uses."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate("Test authority", self.key, key, name)
        path = self.folder / f"{name}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    issuer: str, issuer_key: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey, host: str | None
) -> x509.Certificate:
    now = SystemClock().now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host or issuer)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
