"""Where the file of a model lies: in this package, on disk, or on the hub."""

from __future__ import annotations

from pathlib import Path

from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.configs.base import nearest
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError, OumiError
from oumi.models import TINY_GGUF

_MAGIC = b"GGUF"


def find_gguf(model: ModelParams) -> Path:
    """The GGUF file of a model, fetched from the hub where it has to be.

    `model_name` is `oumi-tiny`, a path, or `repo:file` on the hub; the file may also stand in
    `model_kwargs["filename"]`. Raises ModelNotFoundError for a file that is not there or is no
    GGUF file.
    """
    name = model.model_name
    filename = model.model_kwargs.get("filename")
    if name == EMBEDDED_MODEL:
        return TINY_GGUF
    path = Path(name).expanduser()
    if path.is_dir() and filename:
        path = path / filename
    if path.is_file():
        return _checked(path)
    repo, _, file = name.partition(":")
    file = file or filename or ""
    if repo.count("/") == 1 and file:
        return _checked(_from_hub(repo, file, model.model_revision))
    raise ModelNotFoundError(_not_found(path))


def find_adapter(name: str) -> Path:
    """The GGUF file of a LoRA adapter. Raises ModelNotFoundError."""
    path = Path(name).expanduser()
    if path.is_file():
        return _checked(path)
    repo, _, file = name.partition(":")
    if repo.count("/") == 1 and file:
        return _checked(_from_hub(repo, file, None))
    raise ModelNotFoundError(_not_found(path))


def _checked(path: Path) -> Path:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ModelNotFoundError(f"{path}: not a GGUF file")
    return path


def _not_found(path: Path) -> str:
    beside = sorted(p.name for p in path.parent.glob("*.gguf")) if path.parent.is_dir() else []
    guess = nearest(path.name, beside)
    hint = f"; did you mean {path.parent / guess}?" if guess else ""
    return (
        f"no model {str(path)!r}: expected {EMBEDDED_MODEL!r}, the path of a .gguf file, or "
        f"`owner/repo:file.gguf` on the hub{hint}"
    )


def _from_hub(repo: str, filename: str, revision: str | None) -> Path:
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise MissingDependencyError(
            f"{repo} has to come from the hub, which needs: pip install 'oumi-infer[hub]'"
        ) from error
    try:
        return Path(huggingface_hub.hf_hub_download(repo, filename, revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelNotFoundError(
            f"{repo}:{filename}: not to be had from the hub: {error}"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{repo}:{filename}: {error}") from error
    except OSError as error:
        raise OumiError(f"{repo}:{filename}: {error}") from error
