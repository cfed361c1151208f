"""Where anchors of the audit are kept: a file that is only appended to, or a syslog elsewhere."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Protocol

from histories.errors import Fault, Faults
from serving.store.ledger.entry import End

TAG = "onroll-audit: "  # before an anchor in a line of syslog


class AnchorPlace(Protocol):
    """Somewhere to which anchors are added, and from which this account cannot take them away."""

    name: str

    def append(self, end: End) -> None:
        """Add an anchor; raises OSError when it is not there afterwards, as far as the place says."""


class AnchorFile:
    """A file, one anchor a line. Let another account own it, and forbid all but appending (``chattr +a``).

    Parameters
    ----------
    file : Path
        It is created when missing, and only ever opened to append.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.name = file, str(file)

    def append(self, end: End) -> None:
        """Add an anchor and wait until it is on the disk."""
        # Opening a pipe that somebody put in the place of the file would wait for a reader, and every append with it.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "this is not a file")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, (json.dumps(asdict(end)) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Syslog:
    """A syslog: a socket of this machine, or a host that receives UDP. It keeps what it gets, whatever happens here later.

    Parameters
    ----------
    address : str
        ``unix:/dev/log`` or ``udp:HOST:PORT``.
    setting : str
        The setting that names it.
    tag : str
        What stands before each text.

    Raises
    ------
    Faults
        When the address is neither.
    """

    def __init__(self, address: str, setting: str, tag: str) -> None:
        self.name, self._tag = address, tag
        kind, _, place = address.partition(":")
        host, _, port = place.rpartition(":")
        if kind == "udp" and host and port.isdecimal() and 0 < int(port) < 2**16:
            self._to: str | tuple[str, int] = (host, int(port))
        elif kind == "unix" and place.startswith("/"):
            self._to = place
        else:
            do = "Write unix:/dev/log or udp:HOST:PORT."
            raise Faults(Fault("this is not the address of a syslog", setting, do))

    def send(self, text: str, level: int) -> None:
        """Send a text; over UDP nobody confirms it."""
        handler = _Raising(self._to, SysLogHandler.LOG_AUTHPRIV, socket.SOCK_DGRAM)
        handler.ident, handler.append_nul = self._tag, False
        try:
            handler.emit(
                logging.makeLogRecord({"msg": text, "levelno": level, "levelname": logging.getLevelName(level)})
            )
        finally:
            handler.close()


class AnchorSyslog(Syslog):
    """A syslog that anchors are sent to; see ``Syslog``."""

    def __init__(self, address: str) -> None:
        super().__init__(address, "ONROLL_AUDIT_SYSLOG", TAG)

    def append(self, end: End) -> None:
        """Send an anchor."""
        self.send(json.dumps(asdict(end)), logging.INFO)


class _Raising(SysLogHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        raise


def read_anchors(file: Path, *, collected: bool = False) -> Iterator[End]:
    """Yield the anchors of a file, oldest first; none when it does not exist. A pipe is read only if it is a program's output.

    Parameters
    ----------
    file : Path
    collected : bool
        The file is what a syslog collected: lines of other programs are passed over.

    Raises
    ------
    Faults
        When the file cannot be read, or a line is not an anchor.
    """
    try:
        if not collected and file.exists() and not file.is_file():
            raise OSError(errno.EINVAL, "this is not a file")
        lines = file.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return
    except OSError:
        do = "Run the command with an account that may read it."
        raise Faults(Fault("the anchors cannot be read", str(file), do)) from None
    for number, line in enumerate(lines, 1):
        text = line.partition(TAG)[2] if TAG in line else line
        if collected and TAG not in line and not line.startswith("{"):
            continue
        try:
            yield _end(text)
        except (ValueError, TypeError, RecursionError):
            do = "Compare the file with your copy of it."
            raise Faults(Fault("this line is not an anchor", f"{file}, line {number}", do)) from None


def _end(text: str) -> End:
    """Return the end of the chain that a line states; raises ValueError or TypeError if it states none."""
    end = End(**json.loads(text))
    datetime.fromisoformat(end.at)
    if type(end.seq) is not int or not isinstance(end.mac, str):
        raise ValueError("a number or code is none")
    return end
