"""Copies from bucket to bucket, within one server, which copies by itself, and across two; and versions removed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Iterator, Mapping, Sequence

import contestants
import machine
import measure
import rows
import runs
import servers
from contestants import ACCESS_KEY, RCLONE, SECRET_KEY
from measure import Cost
from places import ROOT, TARGET, WORK
from servers import Server

FULL, QUICK = ROOT / "bench/BUCKETS.md", TARGET / "bench-buckets-quick.md"

S5CMD = "s5cmd --log error --endpoint-url $ENDPOINT --numworkers 64"
JUICEFS = "juicefs sync -q -p 64 --no-https"

# The peers leave tags behind; to carry them takes a request more for each object of a service that isn't known to tell
# which have some.
ACROSS = "brigade sync s3://$OBJECTS s3://empty-$OBJECTS --quiet --no-ledger --dest-endpoint-url $OTHER"

# Within one server, and across two; who is missing can't do that.
ONE = {
    "brigade": "brigade sync s3://$OBJECTS s3://empty-$OBJECTS --quiet --no-ledger",
    "s5cmd": f"{S5CMD} cp 's3://$OBJECTS/*' s3://empty-$OBJECTS/",
    "rclone": f"rclone copy bench:$OBJECTS bench:empty-$OBJECTS {RCLONE} --fast-list",
    "juicefs": f"{JUICEFS} minio://{ACCESS_KEY}:{SECRET_KEY}@$ADDRESS/$OBJECTS/"
    f" minio://{ACCESS_KEY}:{SECRET_KEY}@$ADDRESS/empty-$OBJECTS/",
    "aws": "aws --endpoint-url $ENDPOINT s3 cp --recursive --only-show-errors s3://$OBJECTS/ s3://empty-$OBJECTS/",
}
TWO = {
    "brigade": f"{ACROSS} --ignore-tags",
    "brigade, with tags": ACROSS,
    "rclone": f"rclone copy bench:$OBJECTS other:empty-$OBJECTS {RCLONE} --fast-list",
    "juicefs": f"{JUICEFS} minio://{ACCESS_KEY}:{SECRET_KEY}@$ADDRESS/$OBJECTS/"
    f" minio://{ACCESS_KEY}:{SECRET_KEY}@$OTHER_ADDRESS/empty-$OBJECTS/",
}


@dataclass(frozen=True)
class Work:
    """What every contestant does."""

    title: str
    objects: str
    """The synthetic bucket that is copied."""
    count: int
    commands: Mapping[str, str]
    slow: frozenset[str] = frozenset()
    """Contestants that run once."""


WORKS = (
    Work("20,000 objects of 4 KiB, one server", "flat-20000-4096", 20_000, ONE, frozenset({"aws"})),
    Work("20,000 objects of 4 KiB, across two", "flat-20000-4096", 20_000, TWO),
    Work("one object of 5 GiB, one server", "flat-1-5368709120", 1, ONE, frozenset({"juicefs", "aws"})),
    Work("one object of 5 GiB, across two", "flat-1-5368709120", 1, TWO),
)


# Objects of which each has nine old versions.
VERSIONS = {20_000: "flat-2000-4096", 200_000: "flat-20000-4096", 2_000_000: "flat-200000-4096"}
PRUNE = "brigade prune s3://$OBJECTS --older-than 30d --provider aws"


def bench(quick: bool, repeat: int, fast: Path) -> Path:
    """Measures all of it; where the table went."""
    output = QUICK if quick else FULL
    document = [heading()]
    log = WORK / "server.log"
    with servers.running(rows.NULL, fast, log) as server, servers.running(rows.NULL, fast, log) as other:
        for work in WORKS[:2] if quick else WORKS:
            document += table(work, run_all(work, repeat, fast, server, other))
            output.write_text("\n".join(document) + "\n")
        document += pruned({count: prune_all(count, repeat, fast, server) for count in VERSIONS})
        output.write_text("\n".join(document) + "\n")
    return output


def run_all(
    work: Work, repeat: int, fast: Path, server: Server, other: Server
) -> dict[str, list[Cost]]:
    """All runs, A B C A B C: a machine that slows down slows all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in work.commands}
    for repetition in range(-1, repeat):
        for name, line in turns(work, repetition):
            cost = run_one(work, name, line, fast, server, other)
            print(f"{work.title}: {name:18} {cost.wall:8.3f} s {cost.cpu:8.3f} s CPU {cost.memory:7.1f} MiB", flush=True)
            if repetition >= 0:
                costs[name].append(cost)
    return costs


def turns(work: Work, repetition: int) -> Iterator[tuple[str, str]]:
    """Who runs in this round; the first, which is not counted, is brigade's alone."""
    for name, line in work.commands.items():
        if repetition >= 0 or name == contestants.OURS:
            if repetition <= 0 or name not in work.slow:
                yield name, line


def run_one(work: Work, name: str, line: str, fast: Path, server: Server, other: Server) -> Cost:
    """One run; fails where not everything was copied."""
    values = {
        "ENDPOINT": server.endpoint,
        "ADDRESS": server.address,
        "OTHER": other.endpoint,
        "OTHER_ADDRESS": other.address,
        "OBJECTS": work.objects,
    }
    errors = WORK / "errors" / f"buckets-{name.replace(', ', '-').replace(' ', '-')}.txt"
    errors.parent.mkdir(exist_ok=True)
    for each in (server, other):
        servers.take_counts(each)
    command = contestants.command(line, values)
    output = fast / "output"
    cost = measure.run(command, environment(server, other), runs.home(), output, errors, timeout=runs.LONGEST)
    output.unlink(missing_ok=True)
    counts: dict[str, int] = {}
    for each in (server, other):
        for operation, number in (servers.take_counts(each) or {}).items():
            counts[operation] = counts.get(operation, 0) + number
    written = sum(counts.get(operation, 0) for operation in ("PutObject", "CopyObject", "CompleteMultipartUpload"))
    if cost.exit_code != 0 or written != work.count:
        raise OSError(f"{name} ended with {cost.exit_code} and wrote {written} of {work.count}: {counts}; see {errors}")
    return cost


def prune_all(count: int, repeat: int, fast: Path, server: Server) -> list[Cost]:
    """Runs that remove the old ones of so many versions."""
    costs = []
    errors = WORK / "errors" / "buckets-prune.txt"
    for _ in range(repeat):
        servers.take_counts(server)
        values = {"ENDPOINT": server.endpoint, "OBJECTS": VERSIONS[count]}
        output = fast / "output"
        command = contestants.command(PRUNE, values)
        cost = measure.run(command, runs.environment(server), runs.home(), output, errors, timeout=runs.LONGEST)
        output.unlink(missing_ok=True)
        counts = servers.take_counts(server) or {}
        # A request takes a thousand at most, and nine of ten are old.
        if cost.exit_code != 0 or counts.get("DeleteObjects", 0) * 1000 < count * 9 // 10:
            raise OSError(f"prune ended with {cost.exit_code}: {counts}; see {errors}")
        print(f"{count} versions: {cost.wall:8.3f} s {cost.cpu:8.3f} s CPU {cost.memory:7.1f} MiB", flush=True)
        costs.append(cost)
    return costs


def environment(server: Server, other: Server) -> dict[str, str]:
    """What a contestant finds in its environment, with the other server as rclone's second remote."""
    variables = runs.environment(server)
    second = {
        name.replace("_BENCH_", "_OTHER_"): value
        for name, value in variables.items()
        if name.startswith("RCLONE_CONFIG_BENCH_")
    }
    return {**variables, **second, "RCLONE_CONFIG_OTHER_ENDPOINT": other.endpoint}


def heading() -> str:
    """What was measured, and on what."""
    where = ", ".join(f"{name} {value}" for name, value in machine.description())
    return (
        f"# From bucket to bucket\n\n{date.today().isoformat()}; {where}. Made by `bench/run --buckets`.\n\n"
        "The null server answers at once: the client is what is measured. Within one server each has it copy by itself"
        " (CopyObject) but juicefs, which reads and writes; across two everything passes through the client. Medians;"
        " the figures of all runs in brackets. A peer that is missing can't do it. Across two, none of the peers"
        " carries tags: brigade is told not to (--ignore-tags), and measured with them besides.\n"
    )


def table(work: Work, costs: Mapping[str, Sequence[Cost]]) -> list[str]:
    """The lines of one table."""
    ours = {of: median(costs[contestants.OURS], of) for of in ("wall", "cpu")}
    lines = [f"## {work.title}\n", "| | wall | CPU | CPU for each object | memory | wall, ours = 1 | CPU, ours = 1 |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, measured in costs.items():
        wall, cpu, memory = (median(measured, of) for of in ("wall", "cpu", "memory"))
        each = f"{cpu / work.count * 1e6:.1f} us" if work.count > 1 else "-"
        walls = ", ".join(f"{cost.wall:.2f}" for cost in measured)
        lines.append(
            f"| {name} | {wall:.2f} s ({walls}) | {cpu:.2f} s | {each} | {memory:.0f} MiB"
            f" | {wall / ours['wall']:.2f} | {cpu / ours['cpu']:.2f} |"
        )
    return [*lines, ""]


def pruned(costs: Mapping[int, Sequence[Cost]]) -> list[str]:
    """The lines of the table of what removing versions takes."""
    lines = ["## Old versions removed: `brigade prune`\n", "| versions | wall | CPU for each version | memory |"]
    lines.append("|---|---|---|---|")
    for count, measured in costs.items():
        wall, cpu, memory = (median(measured, of) for of in ("wall", "cpu", "memory"))
        lines.append(f"| {count:,} | {wall:.2f} s | {cpu / count * 1e6:.2f} us | {memory:.1f} MiB |")
    return [*lines, ""]


def median(costs: Sequence[Cost], of: str) -> float:
    """The median of one of the figures."""
    return statistics.median(getattr(cost, of) for cost in costs)
