"""Where the files of a model lie: in this package, on disk, or on the hub; and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.digest import new_digest
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError, OumiError
from oumi.models import TINY, TINY_GGUF

_MAGIC = b"GGUF"

# Files of a folder that shape an answer: settings, templates, vocabularies, weights.
_SHAPING = frozenset({".json", ".jinja", ".txt", ".model", ".safetensors", ".bin", ".gguf"})

_PIECES = 16
_PIECE_BYTES = 64 * 1024


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


def find_folders(model: ModelParams) -> list[Path]:
    """Folders of model, tokenizer and adapter on this machine; a name on the hub has none."""
    names = (model.model_name, model.tokenizer_name, model.adapter_model)
    paths = [_folder(name) for name in names if name]
    return [path for path in paths if path.is_dir()]


def fingerprint(paths: Iterable[Path]) -> str:
    """A hash of model files, and of those in model folders.

    A long file counts by its size and by pieces spread over it: enough to tell a model from the
    same one trained further, without reading all of it.
    """
    digest = new_digest()
    for file in _files(paths):
        size = file.stat().st_size
        digest.update(f"{file.name}:{size};".encode())
        for piece in _pieces(file, size):
            digest.update(piece)
    return digest.hexdigest()


def _folder(name: str) -> Path:
    return TINY / "hf" if name == EMBEDDED_MODEL else Path(name).expanduser()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            beside = sorted(file for file in path.iterdir() if file.suffix in _SHAPING)
            yield from filter(Path.is_file, beside)
        else:
            yield path


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        if size <= _PIECES * _PIECE_BYTES:
            yield file.read()
            return
        for number in range(_PIECES):
            file.seek((size - _PIECE_BYTES) * number // (_PIECES - 1))
            yield file.read(_PIECE_BYTES)


def _checked(path: Path) -> Path:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ModelNotFoundError(f"{path}: not a GGUF file")
    return path


def _not_found(path: Path) -> str:
    beside = sorted(p.name for p in path.parent.glob("*.gguf")) if path.parent.is_dir() else []
    hint = did_you_mean(path.name, beside, before="; ", show=lambda guess: str(path.parent / guess))
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
