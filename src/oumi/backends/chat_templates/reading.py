"""The text of the chat template that `model.chat_template` names. Importing this is cheap."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.names import nearest
from oumi.errors import ConfigError

OWN_TEMPLATE = "auto"
"""The name of the template that comes with the model."""

# Names of templates that render the same as another one: `default_gen` marks what the assistant
# wrote for training, and Qwen3-VL speaks as Qwen2-VL does.
_SAME_AS = {"default_gen": "default", "qwen3-vl-instruct": "qwen2-vl-instruct"}

_SUFFIX = ".jinja"


def with_template_text(config: InferenceConfig) -> InferenceConfig:
    """The settings with the text of their chat template in place of its name or path.

    The model's own template is None there. Raises ConfigError for what is no template.
    """
    given = config.model.chat_template
    if given is None or (text := read_template(given)) == given:
        return config
    model = config.model.model_copy(update={"chat_template": text})
    return config.model_copy(update={"model": model})


def read_template(given: str) -> str | None:
    """The text of a template: given as it is, by name, or by the path of a `.jinja` file.

    None for `auto` and for an empty text. Raises ConfigError for anything else, and for a file
    that cannot be read.
    """
    if _is_template(given):
        return given
    name = given.strip()
    if name.lower() in ("", OWN_TEMPLATE):
        return None
    if name.lower() in template_names():
        return _named(name.lower())
    if name.endswith(_SUFFIX) and "\n" not in name:
        return _read_file(Path(name).expanduser())
    raise ConfigError(_no_template(name))


@cache
def template_names() -> frozenset[str]:
    """The names of the templates of this package."""
    own = (Path(file.name) for file in files(__package__).iterdir())
    return frozenset({file.stem for file in own if file.suffix == _SUFFIX} | _SAME_AS.keys())


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _named(name: str) -> str:
    return (files(__package__) / f"{_SAME_AS.get(name, name)}{_SUFFIX}").read_text("utf-8")


def _read_file(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the path
        raise ConfigError(f"model.chat_template: {path}: cannot be read: {error}") from error
    if not _is_template(text):
        raise ConfigError(f"model.chat_template: {path}: holds no template: no {{{{ and no {{%")
    _check_syntax(text, path)
    return text


def _check_syntax(text: str, path: Path) -> None:
    from oumi.backends.chat_templates.rendering import compile_template  # loads jinja2

    try:
        compile_template(text)
    except ConfigError as error:
        raise ConfigError(f"model.chat_template: {path}: {error}") from error


def _no_template(name: str) -> str:
    names = sorted({OWN_TEMPLATE, *template_names()})
    # Many write the family alone, such as `llama3`, or with an ending of their own.
    families = {one.partition("-")[0]: one for one in names}
    spellings = families | {one: one for one in names}
    [guess] = nearest(name.lower(), spellings, least=0)
    return (
        f"model.chat_template: {name[:60]!r} is no chat template; did you mean "
        f"{spellings[guess]!r}? It takes {', '.join(names)}, the path of a {_SUFFIX} file, or a "
        "template with {{ or {%"
    )
