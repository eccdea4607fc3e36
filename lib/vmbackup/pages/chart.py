"""Lines over time as an inline SVG that reads in light and dark pages, without scripts and without colour. Pure.

Every line has its own dash and is named at its end; a page shows the figures as a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmbackup.sanitize import escaped

_WIDTH, _HEIGHT = 760, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 215, 18, 34
_DASHES = ("", "7 4", "2 3", "10 3 2 3", "14 4")
# Legible on white and on black; dash and name distinguish the lines without colour.
_COLOURS = ("#2f7bd9", "#c2621a", "#8a63d2", "#3d8b5f", "#b0487f")
_LABEL_GAP = 14


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name and its points, times aware and in order, values in percent."""

    name: str
    points: Sequence[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines between 0 and 100 %. ``window`` is shaded and named by ``window_name``; ``summary`` says all in words."""

    summary: str
    lines: Sequence[Line]
    window: tuple[datetime, datetime]
    window_name: str

    def svg(self) -> str:
        """The chart as an SVG element; all text in it is escaped."""
        start, end = self._span()
        inside = [self._shade(start, end), *self._grid(), *self._times(start, end), *self._drawn(start, end)]
        return (
            f'<svg role="img" aria-label="{escaped(self.summary)}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
            f' style="width:100%;max-width:{_WIDTH}px;height:auto" font-family="sans-serif" font-size="12"'
            f' fill="currentColor">{"".join(inside)}</svg>'
        )

    def _span(self) -> tuple[datetime, datetime]:
        """The whole time shown: the window with a margin, and all points."""
        times = [time for line in self.lines for time, _ in line.points]
        margin = max((self.window[1] - self.window[0]) * 0.08, timedelta(minutes=1))
        return min([self.window[0] - margin, *times]), max([self.window[1] + margin, *times])

    def _shade(self, start: datetime, end: datetime) -> str:
        left, right = (_x(time, start, end) for time in self.window)
        return (
            f'<rect x="{left:.1f}" y="{_TOP}" width="{max(right - left, 2):.1f}" height="{_HEIGHT - _TOP - _BOTTOM}"'
            f' fill="currentColor" fill-opacity="0.1"/><text x="{left:.1f}" y="12">{escaped(self.window_name)}</text>'
        )

    def _grid(self) -> list[str]:
        return [
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_y(level):.1f}" y2="{_y(level):.1f}"'
            f' stroke="currentColor" stroke-opacity="0.25"/>'
            f'<text x="{_LEFT - 6}" y="{_y(level) + 4:.1f}" text-anchor="end">{level} %</text>'
            for level in (0, 50, 100)
        ]

    def _times(self, start: datetime, end: datetime) -> list[str]:
        return [
            f'<text x="{_x(time, start, end):.1f}" y="{_HEIGHT - 12}" text-anchor="{anchor}">{time:%H:%M} UTC</text>'
            for time, anchor in ((self.window[0], "start"), (self.window[1], "end"))
        ]

    def _drawn(self, start: datetime, end: datetime) -> list[str]:
        drawn, used = [], list[float]()
        for number, line in enumerate(self.lines):
            if not line.points:
                continue
            path = " ".join(f"{_x(time, start, end):.1f},{_y(value):.1f}" for time, value in line.points)
            look = f'stroke="{_COLOURS[number % 5]}" stroke-width="2" stroke-dasharray="{_DASHES[number % 5]}"'
            drawn.append(f'<polyline fill="none" {look} points="{path}"/>')
            at = _free(_y(line.points[-1][1]), used)
            left = _WIDTH - _RIGHT + 6
            drawn.append(f'<line x1="{left}" x2="{left + 26}" y1="{at:.1f}" y2="{at:.1f}" {look}/>')
            drawn.append(f'<text x="{left + 32}" y="{at + 4:.1f}">{escaped(line.name)}</text>')
        return drawn


def _free(wanted: float, used: list[float]) -> float:
    """The nearest height below where no other name stands yet, or above where there is no room below."""
    for step in range(60):
        for at in (wanted + step * 2, wanted - step * 2):
            if _TOP <= at <= _HEIGHT - 8 and all(abs(at - other) >= _LABEL_GAP for other in used):
                used.append(at)
                return at
    return wanted


def _x(time: datetime, start: datetime, end: datetime) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * ((time - start) / (end - start))


def _y(value: float) -> float:
    height = _HEIGHT - _TOP - _BOTTOM
    return _TOP + height * (1 - min(max(value, 0.0), 100.0) / 100)
