"""`python -m demarc.radiusd.drain DIRECTORY WRITER`: ships the whole of a journal that nobody writes to any more.

DEMARC_RADIUS_URL names the database, WRITER the bookmark. For the journal of a machine that is gone, and for the demo.
"""

import os
import sys
from pathlib import Path

from demarc.radiusd.shipper import Shipper, connect


def main(directory: Path, writer: str) -> int:
    """Raises psycopg.Error; started again, it goes on where it was."""
    shipper = Shipper(directory, writer)
    with connect(os.environ["DEMARC_RADIUS_URL"]) as conn:
        while shipper.ship_past_poison(conn):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
