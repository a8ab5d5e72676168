"""Medians, and what is worked out from them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Mapping, Optional, Sequence

import contestants
from rows import Row
from runs import Run
from trees import Tree

MIB = 1 << 20


@dataclass(frozen=True)
class Figures:
    """One contestant in one row: medians of its runs."""

    contestant: str
    runs: int
    wall: float
    """Seconds."""
    cpu: float
    """Seconds."""
    memory: float
    """MiB."""
    requests: Optional[float]
    refused: Optional[float]
    """The share of the requests that the server refused because there were too many."""
    problem: Optional[str]
    """Why the figures do not count."""


@dataclass(frozen=True)
class Measured:
    """One row, measured."""

    row: Row
    objects: str
    tree: Tree
    contestants: Sequence[Figures]

    def of(self, contestant: str) -> Optional[Figures]:
        """The figures of a contestant that did the work."""
        return next(
            (one for one in self.contestants if one.contestant == contestant and not one.problem), None
        )

    @property
    def ours(self) -> Optional[Figures]:
        """Ours, if it did the work."""
        return self.of(contestants.OURS)

    @property
    def fastest_peer(self) -> Optional[Figures]:
        """The peer with the least wall time."""
        neither = (contestants.OURS, contestants.ONE_LISTER, contestants.FLOOR)
        peers = [one for one in self.contestants if one.contestant not in neither and not one.problem]
        return min(peers, key=lambda peer: peer.wall, default=None)

    def cpu_each(self, figures: Figures) -> Optional[float]:
        """Microseconds of CPU time for each object, file, key or MiB."""
        count = self.tree.size / MIB if self.row.unit == "MiB" else self.tree.files
        return figures.cpu * 1e6 / count if self.row.unit else None


Results = Mapping[str, Measured]


def summarize(row: Row, objects: str, tree: Tree, runs: Sequence[Run]) -> Measured:
    """The medians of a row's runs, in the order of the first ones."""
    names = dict.fromkeys(run.contestant for run in runs)
    return Measured(
        row, objects, tree, [medians([run for run in runs if run.contestant == name]) for name in names]
    )


def medians(runs: Sequence[Run]) -> Figures:
    """The medians of one contestant's runs."""
    counts = [run.counts for run in runs if run.counts]
    requests = [sum(count.values()) for count in counts]
    refused = [count.get("SlowDown", 0) / sum(count.values()) for count in counts]
    return Figures(
        contestant=runs[0].contestant,
        runs=len(runs),
        wall=median(run.cost.wall for run in runs),
        cpu=median(run.cost.cpu for run in runs),
        memory=median(run.cost.memory for run in runs),
        requests=median(requests) if requests else None,
        refused=median(refused) if refused else None,
        problem=next((run.problem for run in runs if run.problem), None),
    )
