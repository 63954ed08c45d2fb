"""The `demarc` command: its words, their help, and which module does the work. Imports nothing heavy by itself."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import django

from demarc.core.errors import Refused
from demarc.project.trouble import exit_code

Arguments = Callable[[argparse.ArgumentParser], None]
INTERRUPTED = 130  # as a shell reports SIGINT


@dataclass(frozen=True)
class Command:
    """One word of the command. Its work is `run(args) -> exit code` in project/commands/<module>.py."""

    name: str
    summary: str
    module: str
    arguments: Arguments = lambda parser: None
    examples: str = ""
    login: str = ""  # "app" or "owner": needs the database, and Django set up with that login
    takes_data: bool = True
    hidden: bool = False


def _up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="fill a new data directory with the demo ISP")
    parser.add_argument("--test", action="store_true", help="a throw-away installation whose clock can be moved")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="who will use it, for the operation log")
    parser.add_argument("--role", required=True, help='a role by its name, such as "API full"')


def _bill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--date", metavar="D", help="only this day, as 2026-03-01; earlier open days are decided first")
    parser.add_argument("--until", metavar="D", help="all open days up to this one; without either: up to today")
    parser.add_argument("--preview", action="store_true", help="say what would be charged and blocked; change nothing")
    parser.add_argument(
        "--documents", action="store_true", help="also preview the documents due, and issue them if nothing is odd"
    )


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--all", action="store_true", help="every amount again from the dated facts; can be interrupted"
    )


def _verify_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="FILE", help="what demarc log checkpoint once printed"
    )


def _log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("export", "checkpoint", "key", "rebuild"),
        help="export: all sealed entries, for verify_log.py; checkpoint: the last seal, to be kept elsewhere; "
        "key: what seals are verified with; rebuild: copy the seals out anew, after their files were moved aside",
    )


def _clock(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--set", metavar="TIME", help="an instant with its zone, as 2026-03-01T00:00:00+00:00")
    what.add_argument("--advance", metavar="SPAN", help="a number and s, m, h or d, as 1d")


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="one of bench/*.py; without it, their list")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within four minutes")
    _json(parser)


def _pytest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pytest", metavar="PYTEST ARGS", nargs="*", help="run only pytest, with these arguments")


def _worker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queues", nargs="+")


def _radius(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--join", metavar="TOKEN", help="become a node first, by what demarc invite printed")


def _invite(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what the node will be called, for good")
    parser.add_argument("--database", metavar="URL", help="where it finds the database; without it, as radiusd here")


def _first_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true")


COMMANDS = (
    Command(
        "up",
        "run everything in the foreground: database, web, RADIUS, workers, blocking pages",
        "up",
        _up,
        "demarc up --demo\n  demarc up --data /srv/demarc\n  DEMARC_WEB_BIND=0.0.0.0 DEMARC_WEB_PORT=443 demarc up",
    ),
    Command(
        "status",
        "say what runs and whether it is healthy; exit 0 only when all of it is",
        "status",
        _json,
        "demarc status\n  demarc status --json | jq .healthy",
    ),
    Command(
        "radius",
        "run this machine as a further RADIUS node of a Demarc elsewhere",
        "radius",
        _radius,
        "demarc radius --join demarc-join-1-...\n  DEMARC_RADIUS_PROCESSES=2 demarc radius",
    ),
    Command(
        "invite",
        "let another machine join as a RADIUS node: print a token and its code once",
        "invite",
        _invite,
        "demarc invite east\n  demarc invite east --database 'postgresql://demarc_radius:three@db.example.net/demarc'",
        login="app",
    ),
    Command(
        "ca",
        "print the CA that customers' 802.1X devices are to trust",
        "ca",
        examples="demarc ca > demarc-ca.crt",
    ),
    Command(
        "token",
        "make an API token and print it once",
        "token",
        _token,
        'demarc token crm --role "API full"',
        login="app",
    ),
    Command(
        "bill",
        "decide the billing days that are still open; repeating it changes nothing",
        "bill",
        _bill,
        "demarc bill\n  demarc bill --documents\n  demarc bill --preview\n  demarc bill --until 2026-03-01",
        login="app",
    ),
    Command(
        "check",
        "check the books: sums, constraints, the last 35 days; exit 1 and say so when something is wrong",
        "check",
        _check,
        "demarc check\n  demarc check --all",
        login="app",
    ),
    Command(
        "ledger",
        "write the whole ledger as beancount text, for bean-check and for accountants",
        "ledger",
        examples="demarc ledger > ledger.beancount\n  bean-check ledger.beancount",
        login="app",
    ),
    Command(
        "verify-log",
        "prove that the operation log is as it was sealed; exit 1 and say where when it is not",
        "verify_log",
        _verify_log,
        "demarc verify-log\n  demarc verify-log --checkpoint /mnt/elsewhere/demarc.checkpoints",
        login="app",
    ),
    Command(
        "log",
        "hand the operation log's export, last checkpoint or public key to somebody else",
        "log",
        _log,
        "demarc log export > log.txt\n  demarc log checkpoint | mail -s checkpoint owner@example.net\n"
        "  demarc log checkpoint >> /mnt/elsewhere/demarc.checkpoints",
        login="app",
    ),
    Command("shell", "a Python shell with Django set up", "shell", examples="demarc shell", login="app"),
    Command(
        "clock",
        "show the clock, or move it in a data directory made with --demo or --test",
        "clock",
        _clock,
        "demarc clock\n  demarc clock --advance 1d\n  demarc clock --set 2026-03-01T00:00:00+00:00",
    ),
    Command(
        "test",
        "run all checks and tests, or only pytest with the given arguments",
        "test",
        _pytest,
        "demarc test\n  demarc test tests/core -k money",
        takes_data=False,
    ),
    Command(
        "bench",
        "run a benchmark and print its table",
        "bench",
        _bench,
        "demarc bench\n  demarc bench radius --quick\n  demarc bench billing --json",
        takes_data=False,
    ),
    Command("version", "print the version", "version", examples="demarc version", takes_data=False),
    Command("migrate", "", "migrate", login="owner", hidden=True),
    Command("first-start", "", "first_start", _first_start, login="app", hidden=True),
    Command("worker", "", "worker", _worker, login="app", hidden=True),
)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = argparse.ArgumentParser(prog="demarc", description="The system an internet provider runs on.")
    words = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        add = words.add_parser if command.hidden else partial(words.add_parser, help=command.summary)
        word = add(
            command.name,
            description=f"{command.summary[:1].upper()}{command.summary[1:]}.",
            epilog=f"examples:\n  {command.examples}" if command.examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command.takes_data:
            word.add_argument("--data", metavar="DIR", help="the data directory (or DEMARC_DATA)")
        command.arguments(word)
        word.set_defaults(command=command)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. What an operator can mend is one sentence, never a traceback."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["test"] and given[1:] and given[1] not in ("-h", "--help"):
        given.insert(1, "--")  # all of pytest's options are pytest's
    whole = parser()
    _expect_known(given, whole)
    args = whole.parse_args(given)
    command: Command = args.command
    try:
        if command.takes_data and args.data:
            os.environ["DEMARC_DATA"] = str(Path(args.data).expanduser().absolute())
        return _run_with_database(command, args) if command.login else _run(command, args)
    except Refused as refusal:
        sys.stderr.write(f"demarc: {refusal.message}\n")
        return exit_code(refusal)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _expect_known(given: Sequence[str], whole: argparse.ArgumentParser) -> None:
    """End with a usage error that names the commands; argparse's own would name the hidden ones too."""
    if given and not given[0].startswith("-") and given[0] not in {command.name for command in COMMANDS}:
        shown = ", ".join(command.name for command in COMMANDS if not command.hidden)
        whole.error(f"there is no command {given[0]!r}; the commands are {shown}")


def _run(command: Command, args: argparse.Namespace) -> int:
    return int(importlib.import_module(f"demarc.project.commands.{command.module}").run(args))


def _run_with_database(command: Command, args: argparse.Namespace) -> int:
    reach = importlib.import_module("demarc.project.reach")
    args.config = reach.use_database(command.login)
    if not command.hidden:  # the supervisor's own steps wait, retry or fail by themselves
        reach.check_reachable(args.config)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demarc.project.settings")
    django.setup()
    with reach.loss_is_a_sentence():
        return _run(command, args)


if __name__ == "__main__":
    sys.exit(main())
