"""The goals, and whether the figures reach them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

import contestants
import rows
from figures import Figures, Measured, Results

# Part of the fastest peer's rate that ours must reach where content is large.
RATE = 0.9


@dataclass(frozen=True)
class Goal:
    """One line of the summary."""

    row: str
    what: str
    wanted: str
    measured: str
    is_met: bool


def all_goals(results: Results) -> list[Goal]:
    """All goals whose figures were measured."""
    goals = [
        cpu(results, "up-4k", 30),
        times(results, "up-4k", "s5cmd", 7),
        times(results, "up-4k", "juicefs", 4),
        floor(results, "up-4k", 3),
        cpu(results, "down-4k", 40),
        times(results, "down-4k", "s5cmd", 5),
    ]
    for row in ("unchanged-1m", "unchanged-1m-flat"):
        goals += [
            cpu(results, row, 4),
            memory(results, row, 64),
            growth(results, row, "unchanged-100k", 1.10),
        ]
    goals.append(cpu(results, "list-1m", 1.2))
    for row in ("up-1m", "down-1m", "up-2g", "down-2g"):
        goals += [rate(results, row), rate(results, f"{row}-seaweed")]
    goals += [wall(results, "start", 30), memory(results, "start", 25)]
    goals += [listers(results, "far-unchanged-1m", 10), memory(results, "far-unchanged-1m", 64)]
    goals += [memory(results, "far-up-4k", 64)]
    goals += [pace(results, "throttled-up-4k", 0.1), refused(results, "throttled-up-4k", 0.05)]
    goals += [memory(results, "against-nothing-10m", 64)]
    goals += [ahead(results, row) for row in results]
    goals += [works(measured) for measured in results.values()]
    return [goal for goal in goals if goal is not None]


def with_ours(
    results: Results, row: str, judge: Callable[[Measured, Figures], Optional[Goal]]
) -> Optional[Goal]:
    """A goal about a row in which ours did the work."""
    measured = results.get(row)
    ours = measured.ours if measured else None
    return judge(measured, ours) if measured and ours else None


def works(measured: Measured) -> Optional[Goal]:
    """Whether ours failed: a goal of its own, since there are no figures to judge then."""
    problems = [
        one.problem for one in measured.contestants if one.contestant == contestants.OURS and one.problem
    ]
    return Goal(measured.row.name, "our run", "does the work", problems[0], False) if problems else None


def cpu(results: Results, row: str, most: float) -> Optional[Goal]:
    """At most so many microseconds of CPU time for each."""

    def judge(measured: Measured, ours: Figures) -> Optional[Goal]:
        each = measured.cpu_each(ours)
        if each is None:
            return None
        what = f"CPU for each {measured.row.unit}"
        return Goal(row, what, f"≤ {most:g} µs", f"{each:.2f} µs", each <= most)

    return with_ours(results, row, judge)


def times(results: Results, row: str, peer: str, least: float) -> Optional[Goal]:
    """So many times less CPU time than a peer."""

    def judge(measured: Measured, ours: Figures) -> Optional[Goal]:
        theirs = measured.of(peer)
        if theirs is None:
            return None
        ratio = theirs.cpu / ours.cpu
        return Goal(row, f"CPU of {peer} / ours", f"≥ {least:g}", f"{ratio:.1f}", ratio >= least)

    return with_ours(results, row, judge)


def floor(results: Results, row: str, most: float) -> Optional[Goal]:
    """At most so many times the floor's CPU time."""

    def judge(measured: Measured, ours: Figures) -> Optional[Goal]:
        least = measured.of(contestants.FLOOR)
        if least is None:
            return None
        ratio = ours.cpu / least.cpu
        return Goal(row, "our CPU / the floor's", f"≤ {most:g}", f"{ratio:.2f}", ratio <= most)

    return with_ours(results, row, judge)


def listers(results: Results, row: str, least: float) -> Optional[Goal]:
    """So many times faster with listers than with one."""

    def judge(measured: Measured, ours: Figures) -> Optional[Goal]:
        alone = measured.of(contestants.ONE_LISTER)
        if alone is None:
            return None
        ratio = alone.wall / ours.wall
        return Goal(row, "wall time of one lister / of 16", f"≥ {least:g}", f"{ratio:.1f}", ratio >= least)

    return with_ours(results, row, judge)


def wall(results: Results, row: str, most: float) -> Optional[Goal]:
    """At most so many milliseconds."""

    def judge(measured: Measured, ours: Figures) -> Goal:
        took = ours.wall * 1000
        return Goal(row, "wall time", f"≤ {most:g} ms", f"{took:.1f} ms", took <= most)

    return with_ours(results, row, judge)


def memory(results: Results, row: str, most: float) -> Optional[Goal]:
    """At most so many MiB."""

    def judge(measured: Measured, ours: Figures) -> Goal:
        return Goal(row, "peak memory", f"≤ {most:g} MiB", f"{ours.memory:.1f} MiB", ours.memory <= most)

    return with_ours(results, row, judge)


def pace(results: Results, row: str, most: float) -> Optional[Goal]:
    """No further than this share from what the server takes at most, start and end included."""

    def judge(measured: Measured, ours: Figures) -> Goal:
        a_second = measured.tree.files / ours.wall
        is_met = abs(a_second / rows.MOST_A_SECOND - 1) <= most
        return Goal(row, "objects a second", f"{rows.MOST_A_SECOND} ± {most:.0%}", f"{a_second:.0f}", is_met)

    return with_ours(results, row, judge)


def refused(results: Results, row: str, most: float) -> Optional[Goal]:
    """At most this share of the requests is refused."""

    def judge(measured: Measured, ours: Figures) -> Optional[Goal]:
        if ours.refused is None:
            return None
        return Goal(row, "refused requests", f"≤ {most:.0%}", f"{ours.refused:.1%}", ours.refused <= most)

    return with_ours(results, row, judge)


def growth(results: Results, row: str, smaller: str, most: float) -> Optional[Goal]:
    """At most so many times the memory of a smaller row."""
    base = results[smaller].ours if smaller in results else None
    if base is None:
        return None
    before = base.memory

    def judge(measured: Measured, ours: Figures) -> Goal:
        ratio = ours.memory / before
        return Goal(row, f"peak memory / that of {smaller}", f"≤ {most:.2f}", f"{ratio:.2f}", ratio <= most)

    return with_ours(results, row, judge)


def rate(results: Results, row: str) -> Optional[Goal]:
    """Nearly the fastest peer's rate, or more."""
    return beside_fastest(results, row, "our rate / {}'s, the fastest peer's", RATE, "{:.0%}")


def ahead(results: Results, row: str) -> Optional[Goal]:
    """No peer is ahead in wall time."""
    return beside_fastest(results, row, "wall time of {}, the fastest peer / ours", 1, "{:.2f}")


def beside_fastest(results: Results, row: str, what: str, least: float, shown: str) -> Optional[Goal]:
    """The fastest peer's wall time divided by ours, which is our rate divided by its, is at least so much."""

    def judge(measured: Measured, ours: Figures) -> Optional[Goal]:
        fastest = measured.fastest_peer
        if fastest is None:
            return None
        ratio = fastest.wall / ours.wall
        wanted = f"≥ {shown.format(least)}"
        return Goal(row, what.format(fastest.contestant), wanted, shown.format(ratio), ratio >= least)

    return with_ours(results, row, judge)
