"""Whether another distribution has put its files in place of this one's."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path

OWN = "oumi-infer"
OTHER = "oumi"

_CURE = (
    f"They cannot share an environment. Remove both, and install the one that is needed here:\n"
    f"  pip uninstall -y {OTHER} {OWN}\n"
    f"  pip install {OWN}\n"
    f"For both, make an environment for each: python -m venv another-folder"
)


@dataclass(frozen=True)
class Clash:
    """What is wrong with the installed files, and what to do about it."""

    text: str
    is_broken: bool
    """Whether files of this distribution are missing or another's."""


def find_clash() -> Clash | None:
    """The clash with the distribution `oumi`, where that is installed too."""
    try:
        own, other = distribution(OWN), distribution(OTHER)
    except PackageNotFoundError:
        return None
    shared = _code_files(own) & _code_files(other)
    if not shared:
        return None
    replaced = [path for path in own.files or () if str(path) in shared and not _is_whole(path)]
    return _clash(own, other, len(shared), len(replaced))


def find_missing() -> Clash | None:
    """Files that went with the distribution `oumi` when it was removed."""
    try:
        own = distribution(OWN)
    except PackageNotFoundError:
        return None  # run from a source tree
    paths = {name: Path(str(own.locate_file(name))) for name in sorted(_code_files(own))}
    missing = [name for name, path in paths.items() if not path.exists()]
    if not missing:
        return None
    return Clash(
        f"{len(missing)} files of {OWN} {own.version} are missing, such as {missing[0]}. Removing "
        f"the distribution `{OTHER}` removes those that both have. To bring them back:\n"
        f"  pip install --force-reinstall --no-deps {OWN}",
        is_broken=True,
    )


def _clash(own: Distribution, other: Distribution, shared: int, replaced: int) -> Clash:
    first, last = (OWN, OTHER) if replaced else (OTHER, OWN)
    return Clash(
        f"{OWN} {own.version} and {OTHER} {other.version} are installed in one environment, and "
        f"both have a package `oumi`: {shared} files of {first} were replaced by those of {last}, "
        f"which was installed later. {_CURE}",
        is_broken=replaced > 0,
    )


def _code_files(installed: Distribution) -> set[str]:
    files = installed.files or ()
    return {str(path) for path in files if path.parts[0] == "oumi" and path.suffix == ".py"}


def _is_whole(path: PackagePath) -> bool:
    """Whether the file is the one that this distribution has installed: by its hash, as
    https://packaging.python.org/en/latest/specifications/recording-installed-packages/ says.
    """
    if path.hash is None:
        return True
    try:
        found = hashlib.new(path.hash.mode, path.read_binary()).digest()
    except OSError:
        return False
    return urlsafe_b64encode(found).rstrip(b"=").decode() == path.hash.value
