"""How many of many things went well, and what was wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Count:
    """Counts what is tried; an exception is a failure, and its first line the reason."""

    title: str
    total: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """How many went well."""
        return self.total - len(self.failures)

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """Count what happens within. Only Ctrl-C gets through."""
        self.total += 1
        try:
            yield
        except Exception as error:  # of code that is not ours
            reason = str(error).partition("\n")[0]
            self.failures.append((name, f"{type(error).__name__}: {reason}"))

    def __str__(self) -> str:
        lines = [f"{self.passed} of {self.total} {self.title}"]
        lines += [f"  not {name}: {reason}" for name, reason in self.failures]
        return "\n".join(lines)
