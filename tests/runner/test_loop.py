"""Work on the background loop, and what ends it."""

import subprocess
import sys
from pathlib import Path

# A library's thread may hear a Ctrl-C instead of the main one, which sits in a wait then.
SCRIPT = """
import asyncio, signal, threading, time
from oumi.runner import loop

stopped = asyncio.Event()

def hear():
    time.sleep(0.3)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

threading.Thread(target=hear, daemon=True).start()
try:
    loop.call(asyncio.wait_for(stopped.wait(), 60), on_interrupt=stopped.set)
except KeyboardInterrupt:
    print("interrupted", stopped.is_set())
"""


def test_a_ctrl_c_that_another_thread_hears_is_acted_on(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    command = [sys.executable, str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.stdout == "interrupted True\n", ended.stderr
