"""Horizontal bars as an inline SVG that reads in light and dark pages, without scripts and without colour. Pure.

Every bar has its name and its number beside it; a page shows the figures as a table too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vmbackup.sanitize import escaped

_WIDTH, _LEFT, _RIGHT, _ROW = 760, 260, 60, 24
_LONGEST = 38


@dataclass(frozen=True, slots=True)
class Bars:
    """Named counts; ``title`` says what is counted, ``summary`` says all in words."""

    title: str
    summary: str
    bars: Sequence[tuple[str, int]]

    def svg(self) -> str:
        """The bars as an SVG element; all text in it is escaped."""
        most = max((count for _, count in self.bars), default=0) or 1
        drawn = "".join(self._bar(number, name, count / most, count) for number, (name, count) in enumerate(self.bars))
        return (
            f'<svg role="img" viewBox="0 0 {_WIDTH} {_ROW * len(self.bars) + 4}"'
            f' style="width:100%;max-width:{_WIDTH}px;height:auto" font-family="sans-serif" font-size="12"'
            f' fill="currentColor"><title>{escaped(self.title)}</title><desc>{escaped(self.summary)}</desc>'
            f"{drawn}</svg>"
        )

    def _bar(self, number: int, name: str, share: float, count: int) -> str:
        top, width = number * _ROW + 4, share * (_WIDTH - _LEFT - _RIGHT)
        shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        return (
            f'<text x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">{escaped(shown)}</text>'
            f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_ROW - 6}" fill-opacity="0.35"/>'
            f'<text x="{_LEFT + width + 6:.1f}" y="{top + 13}">{count}</text>'
        )
