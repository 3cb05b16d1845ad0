"""Settings given on the command line: `--generation.temperature 0.5` sets any field by its path.

Words of a name may be joined by `_` or `-`; the value follows after a space or a `=`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from oumi.core.configs import InferenceConfig
from oumi.core.configs.setting_text import as_yaml
from oumi.core.secret_names import may_hold_key
from oumi.core.urls import mask_url

Override = tuple[str, str]
CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_KEY = "oumi.overrides"
_SWITCHES = {"cluster", "overwrite"}
"""Settings that may stand without a value, which then is `true`."""


class OverridableCommand(click.Command):
    """A command that takes any setting as an option, besides the options of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set the settings aside, and leave the other arguments to click."""
        if not ctx.resilient_parsing:  # which is how a shell asks for completions
            own = {name for param in self.get_params(ctx) for name in param.opts}
            ctx.meta[_KEY], args = split(args, own)
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The command's own options, and the settings."""
        from oumi.cli.setting_completion import complete_setting

        return super().shell_complete(ctx, incomplete) + complete_setting(incomplete)


def config_option(
    text: str = "YAML settings: a path, or a name that `oumi infer --list` shows.",
) -> Callable[[CommandT], CommandT]:
    """The option `-c FILE`, which gives a command the argument `path`; `text` is its help."""
    kind = click.Path(path_type=Path)
    return click.option("-c", "--config", "path", metavar="FILE", type=kind, help=text)


def add_override(ctx: click.Context, name: str, value: str) -> None:
    """Set a field, as if its option had been given."""
    ctx.meta.setdefault(_KEY, []).append((name, as_yaml(InferenceConfig, name, value)))


def given_overrides(ctx: click.Context) -> list[Override]:
    """The settings of the command line, each with its value as YAML."""
    overrides: list[Override] = ctx.meta[_KEY]
    return overrides


def read_settings(ctx: click.Context, path: Path | None) -> InferenceConfig:
    """The settings of a file, if any, and those of the command line. Raises ConfigError."""
    return settings_of(path, given_overrides(ctx))


def settings_of(path: Path | None, overrides: Iterable[Override]) -> InferenceConfig:
    """The settings of a file, if any, and those given besides, which win. Raises ConfigError."""
    if path is None:
        return InferenceConfig.from_overrides(overrides)
    return InferenceConfig.from_yaml(path, overrides)


def split(args: list[str], own: set[str]) -> tuple[list[Override], list[str]]:
    """Split the arguments into settings and the rest. `own` are the command's own options."""
    overrides: list[Override] = []
    rest: list[str] = []
    left = list(args)
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=")
        if flag == "--":
            return overrides, [*rest, word, *left]
        if not flag.startswith("--") or flag in own:
            rest.append(word)
            continue
        name = _field_name(flag)
        _check_known(name, flag, own)
        if not equals:
            value = _next_value(name, flag, left)
        overrides.append((name, as_yaml(InferenceConfig, name, value)))
    return overrides, rest


def mask_keys(args: list[str]) -> list[str]:
    """The arguments with `***` in place of API keys, and of what is secret in addresses."""
    masked: list[str] = []
    mask: Callable[[str], str] = str
    for word in args:
        flag, equals, value = word.partition("=")
        own = _masks_of(flag)
        masked.append(f"{flag}={own(value)}" if own and equals else mask(word))
        mask = own if own and not equals else str
    return masked


def _masks_of(flag: str) -> Callable[[str], str] | None:
    """What masks the value of an option; None for one that is not secret."""
    name = flag.replace("-", "_") if flag.startswith("--") else ""
    if name.endswith("api_key") or _may_be_key_in_header(name):
        return lambda _: "***"
    # Its value may be a list, so that each word in quotes is an address.
    return _mask_urls if name.endswith("api_url") else None


def _may_be_key_in_header(name: str) -> bool:
    _, is_header, header = name.partition("remote_params.headers")
    return bool(is_header) and (not header or may_hold_key(header))


def _mask_urls(value: str) -> str:
    return re.sub(r"[^\s\[\],'\"]+", lambda url: mask_url(url[0]), value)


def _field_name(flag: str) -> str:
    # From the third part on the names are not ours, such as those in model_kwargs.
    parts = flag.removeprefix("--").split(".")
    return ".".join([part.replace("-", "_") for part in parts[:2]] + parts[2:])


def _check_known(name: str, flag: str, own: set[str]) -> None:
    """Raise UsageError for an option of one word that is no setting. Longer paths are left to the
    settings themselves, whose errors name what is nearest in their group.
    """
    if "." not in name and name not in InferenceConfig.model_fields:
        from oumi.cli.setting_names import suggestions

        similar = suggestions(flag, own)
        hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
        raise click.UsageError(f"No such option {flag}.{hint}")


def _next_value(name: str, flag: str, left: list[str]) -> str:
    if name in _SWITCHES and (not left or left[0].lower() not in ("true", "false")):
        return "true"
    if left and not left[0].startswith("--"):
        return left.pop(0)
    raise click.UsageError(f"{flag} needs a value.")
