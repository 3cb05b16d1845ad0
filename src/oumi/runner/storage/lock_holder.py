"""Who holds a lock file: a process, in words and as what it takes to see whether it has ended."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    token: str
    """Random, of this one lock; empty while the file is being written."""
    user: str
    host: str
    machine: str | None
    """Where process ids mean the same: a boot and a container of one. None: not known."""
    pid: int
    started: str | None
    """When the process started, so that a later one with its id is not taken for it."""

    @classmethod
    def this(cls, token: str, pid: int) -> Self:
        """A process on this machine."""
        return cls(token, _user(), socket.gethostname(), _machine(), pid, _start_of(pid))

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}" if self.token else "a process"

    @property
    def has_ended(self) -> bool:
        """Whether its process is seen to have ended; of another machine's that is not seen."""
        if self.machine is None or self.machine != _machine():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # of another user
            pass
        return _start_of(self.pid) not in (None, self.started)


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())


@cache
def _machine() -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return None


def _start_of(pid: int) -> str | None:
    """When a process started, in ticks since the boot; None where that is not to be seen."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, start = fields[0], fields[19]  # man 5 proc_pid_stat: fields 3 and 22
    return "ended" if state in "ZX" else start
