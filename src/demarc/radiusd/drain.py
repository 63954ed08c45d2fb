"""`python -m demarc.radiusd.drain DIRECTORY WRITER`: ships the whole of a journal that nobody writes to any more.

DEMARC_RADIUS_URL names the database, WRITER the bookmark. For the journal of a machine that is gone, for those of
processes that are no more, and for the demo. With --delete the journal is removed once the database has it on disk.
"""

import os
import sys
from pathlib import Path

import psycopg

from demarc.radiusd import journal, store_shipping
from demarc.radiusd.shipper import Shipper, collect_seldom, connect


def main(directory: Path, writer: str, *, delete: bool = False) -> int:
    """1 when the database is away; started again, it goes on where it was."""
    shipper = Shipper(directory, writer)
    collect_seldom()
    try:
        with connect(os.environ["DEMARC_RADIUS_URL"]) as conn:
            while shipper.ship_past_poison(conn):
                pass
            if delete:
                with conn.transaction():  # what was committed before without waiting for the disk is there, too
                    conn.execute(store_shipping.COMMIT_DURABLY)
                    conn.execute(store_shipping.TOUCH_BOOKMARK, {"writer": writer})
    except psycopg.Error as error:
        sys.stderr.write(f"the journal waits for the database: {' '.join(str(error).split())}\n")
        return 1
    if delete:
        for number in journal.segments(directory):
            journal.path_of(directory, number).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], delete="--delete" in sys.argv[3:]))
