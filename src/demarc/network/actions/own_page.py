"""An administrator's own page for one port of the blocking pages: a folder of files below the data directory.

radiusd watches the folders; how a page may look is wire.ownpage's. One folder serves all partners.
"""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from demarc.base import log
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.network.queries import own_page_folder
from demarc.wire.ownpage import INDEX, NotAPage, own_page_files


def save_own_page(place: int, *, archive: bytes, by: Actor, at: datetime) -> int:
    """Put the files of a zip archive in the place of the page: how many files it has now.

    Refused: no such page, an archive that cannot become a page (wire.ownpage says why).
    """
    folder = own_page_folder(place)
    try:
        files = own_page_files(archive)
    except NotAPage as error:
        raise Refused(str(error), field="archive", code="not_a_page") from error
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    fresh.chmod(0o755)
    for path, body in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    _swap(folder, fresh)
    log.record("own_page_saved", by=by, at=at, subject=("own_page", place), files=len(files))
    return len(files)


def remove_own_page(place: int, *, by: Actor, at: datetime) -> None:
    """Take the own page away; visitors see the shipped one again. Refused: no such page, or it has none."""
    folder = own_page_folder(place)
    if not (folder / INDEX).exists():
        raise Refused("This port has no page of your own.", field="remove", code="unknown")
    _swap(folder, None)
    log.record("own_page_removed", by=by, at=at, subject=("own_page", place))


def _swap(folder: Path, fresh: Path | None) -> None:
    """Put `fresh` where `folder` is; for a moment there is none, and then the shipped page is shown."""
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        folder.rename(old / "page")
        shutil.rmtree(old)
    if fresh is not None:
        fresh.rename(folder)
