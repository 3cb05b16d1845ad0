"""A process on a pseudo-terminal: what it shows can be waited for, keys can be pressed."""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pyte

LIMIT_S = 60.0
"""How long anything is waited for: a busy machine can be very slow."""


_WHERE_IS_THE_CURSOR = "\x1b[6n"


class Terminal:
    """`oumi`, or another program, with these arguments on a terminal of its own; ends with the
    `with` block.
    """

    def __init__(
        self,
        *args: str,
        cwd: Path,
        size: tuple[int, int] = (24, 80),
        program: tuple[str, ...] = ("-m", "oumi"),
    ):
        lines, columns = size
        self._screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self._stream = pyte.Stream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, *program, *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={**_without_size(os.environ), "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self.shown = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._seen = 0

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def expect_more(self, length: int) -> None:
        """Wait until this much is shown after what was waited for before."""
        end_s = time.monotonic() + LIMIT_S
        while len(self.shown) - self._seen < length:
            if not self._read(end_s):
                raise AssertionError(f"only {self.shown[self._seen :]!r}")

    def expect(self, text: str) -> None:
        """Wait until `text` is shown after what was waited for before."""
        end_s = time.monotonic() + LIMIT_S
        while text not in self.shown[self._seen :]:
            if not self._read(end_s):
                raise AssertionError(f"{text!r} is not among {self.shown[self._seen :][-2000:]!r}")
        self._seen = self.shown.index(text, self._seen) + len(text)

    def screen(self) -> str:
        """What a person sees by now, with what has scrolled away above it."""
        columns = range(self._screen.columns)
        above = ["".join(row[at].data for at in columns) for row in self._screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self._screen.display])

    def expect_prompt(self) -> None:
        """Wait until a chat waits for a message: the cursor stands behind a `>` alone."""
        end_s = time.monotonic() + LIMIT_S
        while self._screen.display[self._screen.cursor.y].strip() != ">":
            if not self._read(end_s):
                raise AssertionError(f"no prompt: {self.screen()[-2000:]}")

    def expect_screen(self, text: str) -> None:
        """Wait until this is seen on the screen or above it."""
        end_s = time.monotonic() + LIMIT_S
        while text not in self.screen():
            if not self._read(end_s):
                raise AssertionError(f"{text!r} is not seen: {self.screen()[-2000:]}")

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def press_ctrl(self, letter: str) -> None:
        """Press Ctrl with a letter, once the process waits for something.

        Python's readline loses a signal that comes between its prompt and its wait for a key: a
        moment too short for a person.
        """
        end_s = time.monotonic() + LIMIT_S
        while not self._sleeps():
            assert time.monotonic() < end_s
        time.sleep(0.2)  # sleep may also mean that it waits for the interpreter's lock, briefly
        self.type(chr(ord(letter.upper()) - 64))

    def wait(self) -> int:
        """Read to the end, and return the exit code."""
        end_s = time.monotonic() + LIMIT_S
        while self._read(end_s):
            pass
        return self.process.wait(timeout=LIMIT_S)

    def _sleeps(self) -> bool:
        """Whether the main thread sleeps; systems without /proc do not tell."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(") ")[2][0] == "S"

    def _read(self, end_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(end_s - time.monotonic(), 0))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says so when the other side is closed
            return False
        text = self._decoder.decode(data)
        self.shown += text
        self._stream.feed(text)
        if _WHERE_IS_THE_CURSOR in text:  # which a terminal answers
            cursor = self._screen.cursor
            self.type(f"\x1b[{cursor.y + 1};{cursor.x + 1}R")
        return bool(data)


def _without_size(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that would go before the size of the terminal; tests side by side have them."""
    sizes = ("COLUMNS", "LINES")
    return {name: value for name, value in environment.items() if name not in sizes}


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
