"""The last conversation of the command line, which `-c` continues."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_state_path

from oumi.core.configs import InferenceConfig
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.conversation import Conversation
from oumi.errors import InputError
from oumi.runner.storage.atomic import PARTIAL, beside

_OF_MODEL = ("model", "engine", "remote_params")


class LastConversation(NamedTuple):
    """A conversation, and the settings that say who answered in it."""

    conversation: Conversation
    config: InferenceConfig


def path() -> Path:
    """Where it lies; on Linux XDG_STATE_HOME moves its folder."""
    return user_state_path("oumi") / "last_conversation.json"


def save(conversation: Conversation, config: InferenceConfig) -> None:
    """Keep a conversation, for this user's eyes only. One that cannot be kept costs no answer."""
    settings = config.to_dict(only_set=True)
    data = {
        "config": {name: settings[name] for name in _OF_MODEL if name in settings},
        "conversation": conversation.to_dict(),
    }
    partial = beside(path(), f".{os.getpid()}{PARTIAL}")
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(write_json(data))
        partial.replace(path())
    except OSError:  # such as a folder that is read-only
        return


def load() -> LastConversation:
    """The last conversation. Raises InputError where there is none, or none that can be read."""
    try:
        data = parse_json(path().read_bytes())
        return LastConversation(
            Conversation.from_dict(data["conversation"]),
            InferenceConfig.model_validate(data["config"]),
        )
    except FileNotFoundError:
        raise InputError("there is no last conversation to continue") from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{path()}: the last conversation cannot be read: {error}") from error
