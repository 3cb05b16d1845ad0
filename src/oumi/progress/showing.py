"""Whether a call shows its progress, for calls from Python."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from oumi.runner.events import Event, Listener

_DELAY_S = 0.5
"""A call that is over by then would only make the terminal flicker."""


@contextmanager
def showing_progress(show: bool | None, listener: Listener | None) -> Iterator[Listener | None]:
    """A listener that shows the progress on standard error and passes events on to `listener`.

    With None for `show` it does so on a terminal and in a notebook alone.
    """
    if not (_is_watched() if show is None else show):
        yield listener
        return
    from oumi.progress.progress import Progress

    with Progress(sys.stderr, delay_s=_DELAY_S) as progress:

        def notify(event: Event) -> None:
            progress(event)
            if listener is not None:
                listener(event)

        yield notify


def _is_watched() -> bool:
    """Whether somebody sees what is drawn: a terminal, or the kernel of a notebook."""
    # Looked at before `display` is imported, which brings rich.
    stream = sys.stderr
    if stream is not None and stream.isatty():
        return True
    if "IPython" not in sys.modules:
        return False
    from oumi.progress.display import is_notebook

    return is_notebook()
