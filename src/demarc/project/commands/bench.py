"""`demarc bench`: runs one file of bench/, each with `main(quick, as_json) -> exit code`, or lists them."""

import ast
import importlib
import sys
from argparse import Namespace
from pathlib import Path

from demarc.core.errors import Refused

ROOT = Path(__file__).parents[4]


def run(args: Namespace) -> int:
    """Refuses a name that is not there."""
    known = sorted(path for path in (ROOT / "bench").glob("[a-z]*.py") if "def main(" in path.read_text())
    if not args.name:
        for path in known:
            summary = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
            sys.stdout.write(f"{path.stem:<12} {summary}\n")
        return 0
    if args.name not in [path.stem for path in known]:
        names = ", ".join(path.stem for path in known) or "none"
        raise Refused(f"There is no benchmark {args.name!r}; there are: {names}.", code="setting")
    sys.path.insert(0, str(ROOT))
    return int(importlib.import_module(f"bench.{args.name}").main(quick=args.quick, as_json=args.json))
