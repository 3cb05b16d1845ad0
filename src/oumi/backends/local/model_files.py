"""The files of a model: where they are (in this package, on disk, on the hub), and their hash."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.digest import new_digest
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError, OumiError
from oumi.models import TINY, TINY_GGUF

# The first bytes of each GGUF file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
_GGUF_MAGIC = b"GGUF"
# https://github.com/ggml-org/llama.cpp/tree/master/tools/gguf-split
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")
_MOST_NAMED = 8

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_LFS_POINTER = b"version https://git-lfs"

# Files in a model's folder that decide its answers: settings, chat template, vocabulary, weights.
_HASHED_SUFFIXES = frozenset({".json", ".jinja", ".txt", ".model", ".safetensors", ".bin", ".gguf"})

# Of a file over 1 MiB, only 16 samples of 64 KiB are hashed. Training changes nearly every weight,
# so they tell two models apart, and 100 GB of weights are hashed in milliseconds.
_SAMPLES = 16
_SAMPLE_BYTES = 64 * 1024


def find_gguf(model: ModelParams) -> Path:
    """The GGUF file of a model, downloaded from the hub if need be.

    `model_name` is `oumi-tiny`, a path, or `owner/repo:file` on the hub; for a folder or a
    repository the file may also be named by `model_kwargs["filename"]`, with `*` for what one file
    alone fits. Raises ModelNotFoundError for a file that does not exist or is no GGUF file.
    """
    name, filename = model.model_name, model.model_kwargs.get("filename")
    if name == EMBEDDED_MODEL:
        return TINY_GGUF
    path = Path(name).expanduser()
    if path.is_dir() and filename:
        path = path / _one_of(path, filename, [file.name for file in path.iterdir()])
    elif path.is_dir():
        path = _only_gguf(path)
    hub_name = f"{name}:{filename}" if filename and ":" not in name else name
    return _find_gguf(path, hub_name, model.model_revision)


def _only_gguf(folder: Path) -> Path:
    """The one model in a folder, by its first part if it was split."""
    found = sorted(folder.glob("*.gguf"))
    models = [path for path in found if not _LATER_PART.search(path.name)]
    if len(models) == 1:
        return models[0]
    names = ", ".join(path.name for path in models[:_MOST_NAMED]) or "none"
    raise ModelNotFoundError(
        f"{folder}: which .gguf file? Name it, or set model.model_kwargs.filename: {names}"
    )


def find_adapter(name: str) -> Path:
    """The GGUF file of a LoRA adapter: a path, or `owner/repo:file` on the hub.

    Raises ModelNotFoundError for a file that does not exist or is no GGUF file.
    """
    return _find_gguf(Path(name).expanduser(), name)


def find_folders(model: ModelParams) -> list[Path]:
    """The folders of model, tokenizer and adapter on this machine; names on the hub have none."""
    names = (model.model_name, model.tokenizer_name, model.adapter_model, *model.adapters.values())
    paths = [_folder(name) for name in names if name]
    return [path for path in paths if path.is_dir()]


def fingerprint(paths: Iterable[Path]) -> str:
    """A hash of model files, and of the files in model folders.

    A large file counts by its size and by samples spread evenly over it: enough to tell a model
    from the same one trained further, without reading all of it.
    """
    digest = new_digest()
    for file in _files(paths):
        size = file.stat().st_size
        digest.update(f"{file.name}:{size};".encode())
        for sample in _samples(file, size):
            digest.update(sample)
    return digest.hexdigest()


def _find_gguf(path: Path, hub_name: str, revision: str | None = None) -> Path:
    if path.is_file():
        return check_gguf(path)
    repo, _, filename = hub_name.partition(":")
    if repo.count("/") == 1 and filename:
        return check_gguf(_download(repo, filename, revision))
    if repo.count("/") == 1 and not path.exists() and not path.suffix:
        raise ModelNotFoundError(
            f"{repo}: name one of its GGUF files, as {repo}:file.gguf or in "
            "model.model_kwargs.filename, in which * stands for any characters"
        )
    raise ModelNotFoundError(_not_found(path))


def _one_of(place: Path | str, pattern: str, names: Iterable[str]) -> str:
    """The one name that a pattern fits; a pattern without `*` is the name."""
    if "*" not in pattern:
        return pattern
    found = sorted(fnmatch.filter(names, pattern))
    if len(found) != 1:
        listed = f"{len(found)} files: {', '.join(found)}" if found else "no file"
        raise ModelNotFoundError(
            f"model.model_kwargs.filename: {pattern!r} fits {listed} ({place})"
        )
    return found[0]


def _folder(name: str) -> Path:
    return TINY / "hf" if name == EMBEDDED_MODEL else Path(name).expanduser()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix in _HASHED_SUFFIXES)
            yield from filter(Path.is_file, inside)  # a link may lead nowhere
        else:
            yield path


def _samples(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        if size <= _SAMPLES * _SAMPLE_BYTES:
            yield file.read()
            return
        for number in range(_SAMPLES):
            # The first sample is the start of the file, the last one its end.
            file.seek((size - _SAMPLE_BYTES) * number // (_SAMPLES - 1))
            yield file.read(_SAMPLE_BYTES)


def check_gguf(path: Path) -> Path:
    """The path itself. Raises ModelNotFoundError for a file that is no GGUF file."""
    with path.open("rb") as file:
        start = file.read(len(_LFS_POINTER))
    if start == _LFS_POINTER:
        raise ModelNotFoundError(
            f"{path}: not a GGUF file, but a pointer of Git LFS to one: run git lfs pull"
        )
    if not start.startswith(_GGUF_MAGIC):
        content = "it is empty" if not start else f"it begins with {start[:8]!r}"
        raise ModelNotFoundError(f"{path}: not a GGUF file: {content}")
    return path


def _not_found(path: Path) -> str:
    siblings = sorted(p.name for p in path.parent.glob("*.gguf")) if path.parent.is_dir() else []
    hint = did_you_mean(
        path.name, siblings, before="; ", show=lambda guess: str(path.parent / guess)
    )
    return (
        f"no model {str(path)!r}: expected {EMBEDDED_MODEL!r}, the path of a .gguf file, or "
        f"`owner/repo:file.gguf` on the hub{hint}"
    )


def _download(repo: str, filename: str, revision: str | None) -> Path:
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise MissingDependencyError(
            f"{repo} has to come from the hub, which needs: pip install 'oumi-infer[hub]'"
        ) from error
    try:
        if "*" in filename:
            names = huggingface_hub.HfApi().list_repo_files(repo, revision=revision)
            filename = _one_of(repo, filename, names)
        return Path(huggingface_hub.hf_hub_download(repo, filename, revision=revision))
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelNotFoundError(
            f"{repo}:{filename}: not to be had from the hub: {error}"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{repo}:{filename}: {error}") from error
    except OSError as error:
        raise OumiError(f"{repo}:{filename}: {error}") from error
