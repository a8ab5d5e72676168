"""Measures brigade beside its peers. Called by bench/run: reads arguments, and does things in their order."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Optional, Sequence, TextIO

import charts
import contestants
import figures
import buckets
import ledger
import measure
import places
import rows
import runs
import table
import tools
from contestants import Contestant
from figures import Measured

FULL, QUICK, PART = places.ROOT / "bench/RESULTS.md", "bench-quick.md", "bench-part.md"

DESCRIPTION = """\
Measures brigade beside its peers, and writes a table of the results.

The peers are installed once, at the versions of bench/peers.txt, into the target directory. Then each row's
contestants run in turn against a server on this machine, and each run is checked. A full run takes more than
an hour, and 10 GB of disk for two million small files, which are kept; --quick, with less work, fewer
contestants and fewer runs, takes less than five minutes.
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the arguments; what is wrong with them ends the program, with 2."""
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="less work, fewer contestants, fewer runs")
    parser.add_argument("--rows", metavar="NAME,...", type=names_of(rows.NAMES), help="only these rows")
    parser.add_argument(
        "--contestants", metavar="NAME,...", type=names_of(contestants.NAMES), help="only these contestants"
    )
    parser.add_argument("--repeat", metavar="N", type=count, help="runs of each contestant in each row")
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help="where the table goes; otherwise bench/RESULTS.md, or into the target directory if the run is"
        " quick or partial. A full run writes charts beside it.",
    )
    parser.add_argument(
        "--ledger",
        action="store_true",
        help="only what a ledger costs and saves, without the peers; the table goes to bench/LEDGER.md",
    )
    parser.add_argument(
        "--buckets",
        action="store_true",
        help="only copies from bucket to bucket; the table goes to bench/BUCKETS.md",
    )
    parser.add_argument("--no-build", action="store_true", help="measure what was built last")
    parser.add_argument("--list", action="store_true", help="name all rows and contestants, and do nothing")
    return parser.parse_args(arguments)


def names_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """What reads a list of these names."""

    def read(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(known)}")
        return names

    return read


def count(text: str) -> int:
    """Reads a number of runs."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs")
    return int(text)


def main() -> int:
    """Does what the arguments say; returns the exit code."""
    options = parse(sys.argv[1:])
    if options.list:
        for row in rows.ROWS:
            print(f"{row.name:18} {row.title}, {row.server}")
        print(f"\ncontestants: {', '.join(contestants.NAMES)}")
        return 0
    output = options.output or default_output(options)
    if output.is_dir() or options.output and not output.parent.is_dir():
        print(f"bench/run: error: {output} can't be a file", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.ledger or options.buckets:
            bench_apart(options)
        else:
            bench(options, output)
    except (tools.Missing, OSError, subprocess.CalledProcessError) as error:
        print(f"bench/run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench/run: interrupted", file=sys.stderr)
        return 130
    return 0


def is_full(options: argparse.Namespace) -> bool:
    """Whether everything is measured."""
    return not (options.quick or options.rows or options.contestants)


def default_output(options: argparse.Namespace) -> Path:
    """A run that is not full never replaces the results of one that was."""
    return FULL if is_full(options) else places.TARGET / (QUICK if options.quick else PART)


def bench(options: argparse.Namespace, output: Path) -> None:
    """Installs, measures and writes."""
    wanted = options.contestants or (rows.QUICK_CONTESTANTS if options.quick else contestants.NAMES)
    missing = prepare(wanted, build=not options.no_build)
    chosen = [one for one in contestants.ALL if one.name in wanted and one.name not in missing]
    versions = {one.name: version for one in chosen if (version := version_of(one))}
    versions[rows.SEAWEED] = number_told_by("weed version")
    selected = [row for row in rows.ROWS if not options.rows or row.name in options.rows]
    results: dict[str, Measured] = {}
    skipped: dict[str, str] = {}
    with places.fast_place() as fast, places.RAW.open("w") as raw:
        for row in selected:
            objects = row.quick if options.quick else row.objects
            if objects is None:
                skipped[row.name] = "it is too long for a quick run"
                continue
            taking_part = [one for one in chosen if runs.takes_part(row, one)]
            repeat = options.repeat or (min(row.repeat, rows.QUICK_REPEAT) if options.quick else row.repeat)
            print(f"\n== {row.name}: {row.title}, {row.server}", flush=True)
            try:
                tree, done = runs.run_row(row, objects, taking_part, repeat, fast, lambda run: tell(run, raw))
            except (tools.Missing, OSError, subprocess.CalledProcessError) as error:
                # What was measured before is not lost.
                print(f"not measured: {error}", flush=True)
                skipped[row.name] = str(error) if isinstance(error, tools.Missing) else "something went wrong"
                continue
            results[row.name] = figures.summarize(row, objects, tree, done)
            # After each row: a run that is interrupted keeps what it has measured.
            output.write_text(table.document(results, skipped, missing, versions, what_was_asked(options)))
            if is_full(options):
                charts.write(results, output.parent / "charts")
    print(f"\nresults: {output}\nall figures: {places.RAW}")


def bench_apart(options: argparse.Namespace) -> None:
    """Measures what a ledger costs and saves, or copies between buckets."""
    places.WORK.mkdir(parents=True, exist_ok=True)
    places.TOOLS.mkdir(parents=True, exist_ok=True)
    if options.buckets:
        tools.install_peers()
    if not options.no_build:
        tools.build()
    tools.require_build()
    measure.adopt_orphans()
    with places.fast_place() as fast:
        work = buckets.bench if options.buckets else ledger.bench
        output = work(options.quick, options.repeat or 3, fast)
    print(f"\nresults: {output}")


def what_was_asked(options: argparse.Namespace) -> str:
    """The command that measures the same again."""
    words = ["bench/run", "--quick"] if options.quick else ["bench/run"]
    words += ["--rows", ",".join(options.rows)] if options.rows else []
    words += ["--contestants", ",".join(options.contestants)] if options.contestants else []
    words += ["--repeat", str(options.repeat)] if options.repeat else []
    return " ".join(words)


def prepare(wanted: Sequence[str], build: bool) -> dict[str, str]:
    """Builds and installs what is wanted; names what is missing all the same, with the reason."""
    places.WORK.mkdir(parents=True, exist_ok=True)
    places.TOOLS.mkdir(parents=True, exist_ok=True)
    tools.install_peers()
    reason = tools.install_s3sync() if "s3sync" in wanted else None
    if build:
        tools.build()
    tools.require_build()
    measure.adopt_orphans()
    return {"s3sync": reason} if reason else {}


def version_of(contestant: Contestant) -> Optional[str]:
    """Its version number, if it has one."""
    if contestant.name == "s3sync":
        return tools.S3SYNC.partition("@")[2]
    return number_told_by(contestant.version) if contestant.version else None


def number_told_by(command: str) -> str:
    """The version number that a command writes; what it says of the machine besides is left out."""
    ran = subprocess.run(
        shlex.split(command),
        env={"PATH": places.search_path(), "HOME": str(runs.home())},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    found = re.search(r"\d+(\.\d+)+", ran.stdout)
    return found.group() if found else ran.stdout.strip()


def tell(run: runs.Run, raw: TextIO) -> None:
    """Shows a run, and keeps its figures."""
    raw.write(json.dumps(asdict(run)) + "\n")
    raw.flush()
    cost = run.cost
    problem = f"  FAILED: {run.problem}" if run.problem else ""
    print(
        f"{run.contestant:8} {cost.wall:9.3f} s {cost.cpu:9.3f} s CPU {cost.memory:8.1f} MiB{problem}",
        flush=True,
    )


sys.exit(main())
