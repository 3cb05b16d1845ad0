"""A folder on this machine for what lies in an object store."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from oumi.errors import StorageError


class Scratch:
    """Is removed with the last of those who need it, or at the end of the process."""

    def __init__(self) -> None:
        """Raises StorageError."""
        try:
            self.path = Path(tempfile.mkdtemp(prefix="oumi-")).resolve()
        except OSError as error:
            raise StorageError(
                f"no temporary folder can be made: {error.strerror}; TMPDIR names where they go"
            ) from error
        self._removal = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def keep(self) -> None:
        """Leave it on the disk."""
        self._removal.detach()

    def keep_for(self, user: object) -> None:
        """Remove it no earlier than `user` is gone."""
        weakref.finalize(user, self._release)

    def _release(self) -> None:
        """Nothing to do: that this is to be called has kept the object alive."""
