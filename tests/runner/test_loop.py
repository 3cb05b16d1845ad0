"""Work on the background loop, and what ends it."""

import subprocess
import sys
from pathlib import Path

# A library's thread may hear a Ctrl-C instead of the main one, which sits in a wait then.
SCRIPT = """
import asyncio, signal, sys, threading, time
from oumi.runner import loop

stopped, begun = asyncio.Event(), threading.Event()

class Work:
    kept = "3 of 4"
    stop = stopped.set

async def wait_until_stopped():
    begun.set()
    await asyncio.wait_for(stopped.wait(), 60)

def main_waits():
    code = sys._current_frames()[threading.main_thread().ident].f_code
    return (code.co_filename, code.co_name) == (threading.__file__, "wait")

def hear():
    begun.wait()
    while not main_waits():
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

threading.Thread(target=hear, daemon=True).start()
try:
    loop.call(wait_until_stopped(), Work)
except KeyboardInterrupt as interrupt:
    print("interrupted", stopped.is_set(), interrupt)
"""


def test_a_ctrl_c_that_another_thread_hears_is_acted_on(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    command = [sys.executable, str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == "interrupted True 3 of 4\n", ended.stderr
