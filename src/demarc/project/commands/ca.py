"""`demarc ca`: the CA that 802.1X devices are to trust, to be given to customers."""

import sys
from argparse import Namespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.radiusd.eap_certificate import CA_FILE, SERVER_NAME


def run(args: Namespace) -> int:
    """Print it, and beside it what people compare."""
    config = Config.from_environment()
    try:
        pem = (config.keys / CA_FILE).read_text()
    except FileNotFoundError:
        message = "There is none: RADIUS makes it at its first start, unless DEMARC_EAP_CERTIFICATE names your own."
        raise Refused(message, code="ca") from None
    fingerprint = x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex(":").upper()
    sys.stdout.write(pem)
    sys.stderr.write(f"SHA-256 {fingerprint}; the server's name is {SERVER_NAME}\n")
    return 0
