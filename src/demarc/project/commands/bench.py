"""`demarc bench`: runs one file of bench/ as a program with the same flags, or lists them."""

import ast
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from demarc.core.errors import Refused

ROOT = Path(__file__).parents[4]


def run(args: Namespace) -> int:
    """The benchmark's own exit code. Refuses a name that is not there."""
    known = {path.stem: path for path in sorted((ROOT / "bench").glob("*.py")) if "__main__" in path.read_text()}
    if not args.name:
        for name, path in known.items():
            summary = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
            sys.stdout.write(f"{name:<12} {summary}\n")
        return 0
    if args.name not in known:
        message = f"There is no benchmark {args.name!r}; there are: {', '.join(known) or 'none'}."
        raise Refused(message, code="setting")
    flags = [flag for flag, wanted in (("--quick", args.quick), ("--json", args.json)) if wanted]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", f"bench.{args.name}", *flags], env=environ, check=False).returncode
