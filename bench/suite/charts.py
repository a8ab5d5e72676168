"""Bar charts of the main rows as SVG, readable on light and on dark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional
from xml.sax.saxutils import escape

import contestants
from figures import Figures, Measured, Results

# Pixels.
WIDTH = 640
NAME_WIDTH = 90
VALUE_WIDTH = 90
BAR = 20
LINE = 28
TOP = 44
BOTTOM = 10

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.ours { font-weight: 600; }
rect { fill: #8c959f; }
rect.ours { fill: #0969da; }
rect.floor { fill: #c8ced5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  rect { fill: #6e7681; }
  rect.ours { fill: #4493f8; }
  rect.floor { fill: #3d444d; }
}
"""


@dataclass(frozen=True)
class Chart:
    """One chart: a figure of every contestant in a row."""

    file: str
    row: str
    title: str
    unit: str
    value: Callable[[Measured, Figures], Optional[float]]


def each(measured: Measured, figures: Figures) -> Optional[float]:
    """Microseconds of CPU time for each object."""
    return measured.cpu_each(figures)


CHARTS = (
    Chart("up-4k-cpu", "up-4k", "20,000 files of 4 KiB up: CPU time of the client for each", "µs", each),
    Chart(
        "unchanged-1m-cpu", "unchanged-1m", "1,000,000 files, nothing changed: CPU time for each", "µs", each
    ),
    Chart(
        "unchanged-1m-memory",
        "unchanged-1m",
        "1,000,000 files, nothing changed: peak memory",
        "MiB",
        lambda measured, figures: figures.memory,
    ),
    Chart("list-1m-cpu", "list-1m", "Listing 1,000,000 keys: CPU time for each", "µs", each),
    Chart(
        "start-wall",
        "start",
        "Start-up: nothing to sync, from start to end",
        "ms",
        lambda measured, figures: figures.wall * 1000,
    ),
)


def write(results: Results, directory: Path) -> None:
    """Writes the charts whose rows were measured."""
    directory.mkdir(parents=True, exist_ok=True)
    for chart in CHARTS:
        if chart.row in results:
            (directory / f"{chart.file}.svg").write_text(svg(chart, results[chart.row]))


def svg(chart: Chart, measured: Measured) -> str:
    """The chart: bars from the shortest to the longest."""
    values = [
        (value, figures.contestant)
        for figures in measured.contestants
        if not figures.problem and (value := chart.value(measured, figures)) is not None
    ]
    values.sort()
    longest = max((value for value, _ in values), default=0.0) or 1.0
    height = TOP + LINE * len(values) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(chart.title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="24">{escape(chart.title)}</text>',
    ]
    for number, (value, name) in enumerate(values):
        parts += bar(TOP + LINE * number, name, value / longest, f"{amount(value)} {chart.unit}")
    return "\n".join([*parts, "</svg>"]) + "\n"


def bar(top: int, name: str, part: float, label: str) -> list[str]:
    """One contestant's name, bar and figure; `part` is of the longest bar."""
    kinds = {contestants.OURS: "ours", contestants.FLOOR: "floor"}
    style = f' class="{kinds[name]}"' if name in kinds else ""
    length = max(1.0, part * (WIDTH - NAME_WIDTH - VALUE_WIDTH))
    base = top + BAR - 5
    return [
        f'<text{style} x="{NAME_WIDTH - 8}" y="{base}" text-anchor="end">{escape(name)}</text>',
        f'<rect{style} x="{NAME_WIDTH}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2"/>',
        f'<text{style} x="{NAME_WIDTH + length + 6:.1f}" y="{base}">{escape(label)}</text>',
    ]


def amount(value: float) -> str:
    """Three digits, or all before the point."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{decimals}f}"
