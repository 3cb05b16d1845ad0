"""Where servers keep what outlives them."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path


def state_folder() -> Path:
    """The folder of all that servers keep; on Linux XDG_STATE_HOME moves it."""
    return user_state_path("oumi") / "serve"
