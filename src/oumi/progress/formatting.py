"""Figures as text, with as many digits as are worth reading."""

from __future__ import annotations


def format_dollars(amount: float) -> str:
    """An amount of money: cents from one dollar on, hundredths of a cent below."""
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def format_number(value: float) -> str:
    """A number: without decimals from 100 on, with one below."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def format_bytes(count: float) -> str:
    """A size in the unit in which it is at least 1."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def format_duration(seconds: float) -> str:
    """A duration as `0:07` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
