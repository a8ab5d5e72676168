"""The results as Markdown."""

from __future__ import annotations

from datetime import date
from typing import Iterable, Mapping, Optional, Sequence

import contestants
import goals
import machine
import rows
import servers
from figures import Figures, Measured, Results

HEADINGS = (
    "contestant",
    "wall s",
    "CPU s",
    "CPU µs / {unit}",
    "memory MiB",
    "requests",
    "refused",
    "wall / ours",
    "CPU / ours",
    "CPU / floor",
    "runs",
)


def document(
    results: Results,
    skipped: Mapping[str, str],
    missing: Mapping[str, str],
    versions: Mapping[str, str],
    line: str,
) -> str:
    """The whole document. `skipped` are rows, and `missing` contestants, each with a reason; `line` is the
    command that was given."""
    parts = [
        "# Results",
        f"Measured on {date.today().isoformat()} by `{line}`. The figures are medians. CPU is user and system"
        " time of the client alone, with its children; memory is the peak of its largest process. The *null"
        " server* is one of ours which reads requests, throws content away and answers at once"
        " ([null_server.rs](src/null_server.rs)), so that the client is what is measured. The *floor* is a"
        " bare HTTP client that sends the same requests unsigned and from memory ([floor.rs](src/floor.rs)).",
        two_columns("machine", " ", machine.description()),
        two_columns("program", "version", versions.items()),
        *[f"{name} is missing: {why}." for name, why in missing.items()],
        "## Goals",
        goal_table(goals.all_goals(results)),
    ]
    parts += ["## Rows"]
    for measured in results.values():
        parts += row_section(measured)
    parts += [f"{name} was not measured: {why}." for name, why in skipped.items()]
    parts += repeating()
    return "\n\n".join(parts) + "\n"


def two_columns(first: str, second: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and values."""
    return markdown((first, second), [list(pair) for pair in pairs], numbers_from=2)


def goal_table(reached: Sequence[goals.Goal]) -> str:
    """The goals, and whether they are reached."""
    lines = [
        [goal.row, goal.what, goal.wanted, goal.measured, "yes" if goal.is_met else "**no**"]
        for goal in reached
    ]
    return markdown(("row", "what", "goal", "measured", "reached"), lines, numbers_from=2)


def row_section(measured: Measured) -> list[str]:
    """Heading, table, notes and command lines of a row."""
    row = measured.row
    notes = [f"{name} is left out: it {why}." for name, why in row.without.items()] + list(row.notes)
    notes += [f"{one.contestant} failed: {one.problem}." for one in measured.contestants if one.problem]
    return [
        f"### {row.name}",
        f"{title(measured)}, {row.server}.",
        figures_table(measured),
        *notes,
        f"<details><summary>Commands</summary>\n\n{tree_line(measured)}\n\n{commands(measured)}\n\n</details>",
    ]


def title(measured: Measured) -> str:
    """What was done; a quick run has fewer objects than the row's title says."""
    row = measured.row
    if row.objects == rows.DOCS:
        return f"{row.title}: {measured.tree.files:,} files, {measured.tree.size / 1e6:,.0f} MB"
    return row.title if measured.objects == row.objects else f"{row.title} (here: `{measured.objects}`)"


def figures_table(measured: Measured) -> str:
    """The figures, without the columns that say nothing in this row."""
    headings = [heading.format(unit=measured.row.unit) for heading in HEADINGS]
    lines = [figures_line(measured, figures) for figures in measured.contestants]
    kept = [column for column in range(len(headings)) if any(line[column] for line in lines)]
    return markdown(
        [headings[column] for column in kept], [[line[column] for column in kept] for line in lines]
    )


def figures_line(measured: Measured, figures: Figures) -> list[str]:
    """One contestant's cells; what can't be said is empty."""
    ours, floor = measured.ours, measured.of(contestants.FLOOR)
    each = measured.cpu_each(figures)
    name = f"**{figures.contestant}**" if figures.contestant == contestants.OURS else figures.contestant
    cells = [
        f"{figures.wall:.3f}",
        f"{figures.cpu:.3f}",
        "" if each is None else f"{each:,.2f}",
        f"{figures.memory:,.1f}",
        "" if figures.requests is None else f"{figures.requests:,.0f}",
        f"{figures.refused:.1%}" if figures.refused else "",
        ratio(figures.wall, ours.wall if ours else None),
        ratio(figures.cpu, ours.cpu if ours else None),
        ratio(figures.cpu, floor.cpu if floor else None),
    ]
    if figures.problem:
        cells = ["failed"] + [""] * (len(cells) - 1)
    return [name, *cells, str(figures.runs)]


def ratio(value: float, base: Optional[float]) -> str:
    """How many times the base it is; nothing where there is none."""
    return f"{value / base:.2f}" if base else ""


def tree_line(measured: Measured) -> str:
    """How the directory is made."""
    objects = measured.objects
    if not rows.needs_files(measured.row):
        return "No files are made."
    if objects == rows.DOCS:
        return "`TREE=$(rustc --print sysroot)/share/doc/rust/html`"
    if objects == rows.NOTHING:
        return "`mkdir $TREE`"
    return f"`brigade-bench tree $TREE {objects}`"


def commands(measured: Measured) -> str:
    """The command lines of the contestants that took part."""
    row = measured.row
    on_null = "empty" if rows.goes_up(row) or row.objects == rows.NOTHING else measured.objects
    lines = []
    for contestant in contestants.ALL:
        line = contestants.template(contestant, row.kind)
        if line is None or all(one.contestant != contestant.name for one in measured.contestants):
            continue
        if row.server in rows.NULL_SERVERS:
            line = line.replace("$BUCKET", on_null)
        lines.append(line.replace("$OBJECTS", measured.objects) + (" >$OUTPUT" if row.kind == "list" else ""))
    return "```sh\n" + "\n".join(lines) + "\n```"


def repeating() -> list[str]:
    """How to repeat all, or one row by hand."""
    exports = contestants.variables("$ENDPOINT", "$HOME/aws-config")
    names = "\n".join(f"- `${name}`: {meaning}" for name, meaning in contestants.PLACEHOLDERS.items())
    return [
        "## Repeat it",
        "`bench/run` does it all again; `bench/run --rows NAME`, one row; `bench/run --help` tells more. By"
        " hand: start the null server, `brigade-bench null-server PORT`, after the files were made; or"
        " SeaweedFS,",
        f"```sh\nweed server -s3 {' '.join(servers.SEAWEED_OPTIONS)} -dir=$DATA\n```",
        f"which has a new bucket for each upload. In the commands of the rows,\n\n{names}",
        "and in the environment, with an empty directory as `HOME`,",
        "```sh\n" + "\n".join(f"export {name}={value}" for name, value in exports.items()) + "\n```",
        f"where the file that `AWS_CONFIG_FILE` names has\n\n```ini\n{contestants.AWS_CONFIG}```",
    ]


def markdown(headings: Sequence[str], lines: Sequence[Sequence[str]], numbers_from: int = 1) -> str:
    """A table whose columns from this one on are numbers, and stand to the right."""
    marks = ["---" if column < numbers_from else "--:" for column in range(len(headings))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headings, marks, *lines))
