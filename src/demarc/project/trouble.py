"""The exit codes of the `demarc` command, by the stable word that a `Refused` carries; not their causes."""

from demarc.core.errors import Refused

UNHEALTHY = 1  # also: a check that found something wrong
USAGE = 2  # as argparse ends

EXIT_CODES = {
    "setting": 3,  # an environment variable or flag with a value that cannot be
    "port": 4,  # a port is busy, or may not be bound
    "disk": 5,  # too little room in the data directory
    "directory": 6,  # the data directory cannot be made, written or entered
    "running": 7,  # another Demarc holds the data directory, or none does and one is needed
    "database-version": 8,  # too old, or not the version that made the data
    "database": 9,  # out of reach
    "database-role": 10,  # a role that is missing or may do too much
    "program": 11,  # something needed is not installed
    "step": 12,  # migrations or the first start failed; what they said stands above
    "node": 13,  # a RADIUS node that cannot join, or is none
}


def exit_code(refusal: Refused) -> int:
    """The exit code of a command that ended with this refusal."""
    return EXIT_CODES.get(refusal.code, 1)
