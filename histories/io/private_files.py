"""What this project writes holds children's records: only its owner may read it, whatever the umask of the machine."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from histories.errors import Fault

OTHERS = 0o027  # what neither the group may do, nor others, with a file that holds a secret
GROUP_READS = 0o040
CHANGES = 0o022
SERVICE = "ONROLL_SERVICE"  # set where a service runs: what the service can replace decides nothing


def only_for_the_owner() -> None:
    """Let every file and folder that this process makes from now on be readable by its owner only.

    Called once, by each command and by the service: databases, Parquet and text are written by libraries that know no other way.
    """
    os.umask(0o077)


def restrict(path: Path) -> None:
    """Let only the owner read a file, or a folder with all that is in it."""
    if path.is_dir():
        path.chmod(0o700)
        for below in path.rglob("*"):
            below.chmod(0o700 if below.is_dir() else 0o600)
    elif path.exists():
        path.chmod(0o600)


def write_secret(file: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and wait until it is on the disk."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def replace_secret(file: Path, content: bytes) -> None:
    """Replace a file with a secret atomically; the new one has the same mode and owner."""
    mode, temporary = file.stat(), file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    write_secret(temporary, content)
    temporary.chmod(mode.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(temporary, mode.st_uid, mode.st_gid)  # the service must still read a file that root has rotated
    temporary.replace(file)


def replaceable(file: Path) -> bool:
    """Return whether a file could be replaced by this process, or by accounts other than its owner.

    Root can write everything, so its files are not looked at for this process.
    """
    places = [place for place in (file, file.parent) if place.exists()]
    wide = any(_writable_by_others(place) and not place.stat().st_mode & stat.S_ISVTX for place in places)
    return wide or (os.geteuid() != 0 and any(os.access(place, os.W_OK) for place in places))


def writable_code(file: Path) -> Fault | None:
    """Return a fault if a file of Python code is ``replaceable``."""
    if replaceable(file):
        do = "Put it into a folder of another owner that only the owner can write, such as root's."
        return Fault("the service, or other accounts, could replace this Python file", str(file), do)
    return None


def untrusted(file: Path) -> Fault | None:
    """Return a fault if others than its owner can change a file that decides whom to trust, or if a service can replace it.

    Examples
    --------
    >>> untrusted(Path("no-such-file")) is None
    True
    """
    if file.is_file() and _writable_by_others(file):
        what = "others can change this file, which decides whom to trust"
        return Fault(what, str(file), f"Run 'chmod go-w {file}'.")
    if os.environ.get(SERVICE) == "1" and file.is_file() and replaceable(file):
        do = "Put it into a folder of another owner that only the owner can write, such as /etc/onroll of root."
        return Fault("the service could replace this file, which decides whom to trust", str(file), do)
    return None


def readable_by_others(file: Path) -> Fault | None:
    """Return a fault if others than its owner can read a file with a secret, or its group can change it.

    The group may read a file of another owner: that is how systemd and Kubernetes hand a secret to an account. A file of this
    account's own needs no group.

    Examples
    --------
    >>> readable_by_others(Path("no-such-file")) is None
    True
    """
    if not file.is_file():
        return None
    status = file.stat()
    if status.st_mode & OTHERS or (status.st_mode & GROUP_READS and status.st_uid == os.geteuid()):
        return Fault("others can read or change this file, which holds a secret", str(file), f"Run 'chmod 600 {file}'.")
    return None


def _writable_by_others(path: Path) -> bool:
    return bool(path.stat().st_mode & CHANGES)
