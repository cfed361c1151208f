"""What the operating system refuses: a place that cannot be written, a full disk, a name that is too long."""

from __future__ import annotations

import errno
import os
import re

from histories.errors import Fault

DO = {
    errno.ENOENT: "Create the folder, or name another place.",
    errno.EACCES: "Give this account the right to it, or name another place.",
    errno.EPERM: "Give this account the right to it, or name another place.",
    errno.EROFS: "Name a place that can be written.",
    errno.ENOTDIR: "A part of the path is a file: name another place.",
    errno.EISDIR: "This is a folder: name a file.",
    errno.EEXIST: "Name another place, or remove what is there.",
    errno.ENOTEMPTY: "Name another place, or remove what is there.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOSPC: "Free space on the disk.",
    errno.EDQUOT: "Free space, or ask for a larger quota.",
    errno.EMFILE: "Raise the limit of open files (ulimit -n).",
}


def refused(error: BaseException) -> Fault | None:
    """Return the fault for a file or folder that the operating system refuses; None for any other error.

    Examples
    --------
    >>> print(refused(FileNotFoundError(errno.ENOENT, "No such file or directory", "there/scores.parquet")))
    there/scores.parquet: the system refuses this: no such file or directory
        Create the folder, or name another place.
    """
    if not isinstance(error, OSError) or error.errno not in DO:
        return None
    # Its own text may come from a library; the system's says no more than the number.
    what = f"the system refuses this: {os.strerror(error.errno).lower()}"
    where = re.sub(r"(^|/)\.([^/]+)\.writing$", r"\1\2", str(error.filename or "the command"))
    return Fault(what, where, DO[error.errno])
