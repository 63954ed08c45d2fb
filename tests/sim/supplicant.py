"""A customer's 802.1X device: wpa_supplicant's own code by eapol_test, and what it printed.

found = log_in(server.auth, SECRET, PEAP, identity="alice", password="alpha", ca_cert=ca)
assert found.succeeded
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEAP, MD5 = ("PEAP", "MSCHAPV2"), ("MD5", "")
TTLS_PAP, TTLS_CHAP = ("TTLS", "PAP"), ("TTLS", "CHAP")
TTLS_MSCHAP, TTLS_MSCHAPV2 = ("TTLS", "MSCHAP"), ("TTLS", "MSCHAPV2")
METHODS = [PEAP, TTLS_PAP, TTLS_CHAP, TTLS_MSCHAP, TTLS_MSCHAPV2, MD5]
SERVER = "radius.demarc.internal"


@dataclass
class Seen:
    """What the device saw. `replies`: the packets that came, each as eapol_test prints it."""

    text: str

    @property
    def succeeded(self) -> bool:
        return self.text.splitlines()[-1] == "SUCCESS"

    @property
    def keys_agree(self) -> bool:
        return "MPPE keys OK: 1  mismatch: 0" in self.text

    @property
    def replies(self) -> list[str]:
        parts = self.text.split("Received RADIUS message")[1:]
        return [part.split("STA 02:")[0] for part in parts]

    @property
    def accept(self) -> str:
        return next((reply for reply in self.replies if "code=2 (Access-Accept)" in reply), "")

    @property
    def reject(self) -> str:
        return next((reply for reply in self.replies if "code=3 (Access-Reject)" in reply), "")


def log_in(
    server: tuple[str, int], secret: str, method: tuple[str, str], *, ca_cert: Path | None = None,
    options: tuple[str, ...] = (), directory: Path, timeout_s: int = 8, **network: Any,
) -> Seen:  # fmt: skip
    """One login. `network`: lines of wpa_supplicant's configuration, texts are quoted; with `ca_cert` the server's name
    is checked, too. `options`: further ones of eapol_test."""
    outer, inner = method
    lines = {"key_mgmt": "IEEE8021X", "eap": outer}
    if inner:
        lines["phase2"] = f'"auth={inner}"'
    if ca_cert is not None and inner:
        lines |= {"ca_cert": f'"{ca_cert}"', "domain_match": f'"{SERVER}"'}
    lines |= {name: f'"{value}"' if isinstance(value, str) else str(value) for name, value in network.items()}
    config = directory / "supplicant.conf"
    config.write_text("network={\n" + "".join(f"  {name}={value}\n" for name, value in lines.items()) + "}\n")
    command = ["eapol_test", "-c", config, "-a", server[0], "-p", str(server[1]), "-s", secret, "-t", str(timeout_s)]
    if method == MD5:
        command.append("-n")
    told = subprocess.run([*map(str, command), *options], capture_output=True, text=True, timeout=timeout_s + 20)
    return Seen(told.stdout.strip())
