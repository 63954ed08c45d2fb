"""A pretend mail server: takes letters over real SMTP, keeps them, and refuses whom it is told to refuse."""

import email
import email.policy
import ipaddress
import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class MailServer:
    """What it knows and does. `answers`: address to the reply to its RCPT; `tls`: certificate and key."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    connections: int = 0
    away: bool = False
    tls: tuple[Path, Path] | None = None
    starttls: bool = False

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of all letters that were taken, in order."""
        return [str(letter["Message-ID"]) for letter in self.letters]


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: Any

    def handle(self) -> None:
        self.place: MailServer = self.server.place
        self.place.connections += 1
        if self.place.away:
            self.say("421 away")
            return
        if self.place.tls and not self.place.starttls:
            self.secure()
        self.say("220 sim")
        with suppress(ConnectionError, ValueError):
            while line := self.rfile.readline().decode().strip():
                self.answer(line)
                if line == "QUIT":
                    break

    def secure(self) -> None:
        assert self.place.tls
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.place.tls)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")  # type: ignore[assignment]
        self.wfile = self.connection.makefile("wb", 0)  # type: ignore[assignment]

    def answer(self, line: str) -> None:
        word = line.upper().split(" ")[0]
        if word == "EHLO":
            offers = ["STARTTLS"] if self.place.starttls and not isinstance(self.connection, ssl.SSLSocket) else []
            offers = ["sim", *offers, "AUTH PLAIN"]
            for offer in offers:
                self.say(f"250-{offer}")
            self.say("250 SMTPUTF8")
        elif word == "STARTTLS":
            self.say("220 go on")
            self.secure()
        elif word == "AUTH":
            self.place.logins.append(b64decode(line.split(" ")[2]).decode())
            self.say("235 welcome")
        elif word == "RCPT":
            to = line.partition("<")[2].partition(">")[0]
            self.say(self.place.answers.get(to, "250 ok"))
        elif word == "DATA":
            self.say("354 go on")
            self.keep()
        else:
            self.say("250 ok")

    def keep(self) -> None:
        body = b""
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            body += line[1:] if line.startswith(b"..") else line
        letter = email.message_from_bytes(body, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.place.letters.append(letter)
        self.say("250 taken")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    place: MailServer


@contextmanager
def mail_server(**facts: Any) -> Iterator[MailServer]:
    """A running one."""
    place = MailServer(**facts)
    server = Server(("127.0.0.1", 0), Session)
    server.place, place.port = place, server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "sim.pem", folder / "sim.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
