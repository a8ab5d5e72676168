"""What a ledger costs, and what it saves: brigade alone, against the null server."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import statistics
import subprocess
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Callable, Sequence

import machine
import measure
import rows
import runs
import servers
import table
import tools
import trees
from measure import Cost
from places import RELEASE, ROOT, TARGET, WORK
from servers import Server

FULL, QUICK = ROOT / "bench/LEDGER.md", TARGET / "bench-ledger-quick.md"

# Keys of this length are what the goal for a pair's size speaks of.
KEY_LENGTH = 30


@dataclass(frozen=True)
class Figure:
    """One line of the results."""

    what: str
    wanted: str
    measured: str
    is_met: bool


@dataclass(frozen=True)
class Scene:
    """What all measurements share."""

    server: Server
    fast: Path
    small: str
    large: str
    repeat: int

    @property
    def ledger(self) -> Path:
        """The file; each measurement begins without it."""
        return self.fast / "ledger"

    def forget(self) -> None:
        """Removes the ledger and what is beside it."""
        for path in self.fast.glob("ledger*"):
            path.unlink()

    def sync(self, source: str, dest: str, *more: str) -> Cost:
        """One measured run, which must end in step."""
        output, errors = self.fast / "output", WORK / "errors-ledger.txt"
        environment = runs.environment(self.server)
        command = line(source, dest, *more)
        cost = measure.run(command, environment, runs.home(), output, errors, timeout=runs.LONGEST)
        if cost.exit_code != 0:
            raise tools.Missing(f"brigade sync {source} {dest} ended with {cost.exit_code}")
        return cost

    def sent(self) -> int:
        """How many objects the server got since this was last asked."""
        return (servers.take_counts(self.server) or {}).get("PutObject", 0)

    def kill_after(self, objects: int, source: str, dest: str, *more: str) -> int:
        """A run that is killed when the server has got so many objects; how many it got."""
        self.sent()
        with subprocess.Popen(line(source, dest, *more), env=runs.environment(self.server)) as process:
            got = 0
            while got < objects and process.poll() is None:
                time.sleep(0.02)
                got += self.sent()
            process.kill()
        return got + self.sent()


def line(source: str, dest: str, *more: str) -> list[str]:
    """The command line of a run."""
    # The null server lists in byte order as AWS does; a stranger would be listed from the start after a kill.
    return [str(RELEASE / "brigade"), "sync", source, dest, "--quiet", "--provider", "aws", *more]


def bench(quick: bool, repeat: int, fast: Path) -> Path:
    """Measures all, and writes the table."""
    small, large = ("dirs-20000-16", "dirs-100000-16") if quick else ("dirs-100000-16", "dirs-1000000-16")
    output = QUICK if quick else FULL
    figures: list[Figure] = []
    with servers.running(rows.NULL, fast, WORK / "server.log") as server:
        scene = Scene(server, fast, small, large, repeat)
        for measurement in (cost_up, cost_down, unchanged_up, unchanged_down, indexed, resumed, deletions):
            print(f"\n== {measurement.__name__}", flush=True)
            figures += measurement(scene)
            for figure in figures[-3:]:
                print(f"{figure.what}: {figure.measured} ({figure.wanted})", flush=True)
            output.write_text(document(figures, scene, quick))
    return output


def number_of(objects: str) -> int:
    """How many objects a synthetic bucket holds."""
    return int(objects.split("-")[1])


def tree_of(scene: Scene, objects: str) -> str:
    """The directory of these objects, warm in the system's caches."""
    tree = trees.tree(objects, scene.fast)
    trees.warm(tree.path, with_content=True)
    return str(tree.path)


def beside_none(scene: Scene, run: Callable[[Sequence[str]], Cost]) -> float:
    """Seconds of CPU that a new ledger adds to a run, by the medians of runs in turn."""
    without, with_ledger = [], []
    run(["--no-ledger"])
    for _ in range(scene.repeat):
        without.append(run(["--no-ledger"]).cpu)
        scene.forget()
        with_ledger.append(run(["--ledger", str(scene.ledger)]).cpu)
    return statistics.median(with_ledger) - statistics.median(without)


def cost_up(scene: Scene) -> list[Figure]:
    """What a new ledger costs an upload, and how large it is."""
    tree, count = tree_of(scene, scene.small), number_of(scene.small)
    added = beside_none(scene, lambda more: scene.sync(tree, "s3://empty", *more))
    with sqlite3.connect(scene.ledger) as ledger:
        pairs, length = ledger.execute("SELECT count(*), avg(length(key)) FROM settled").fetchone()
    each = scene.ledger.stat().st_size / pairs + KEY_LENGTH - length
    return [
        each_microsecond(f"ledger, CPU added to each of {count:,} files sent", added / count, 3),
        Figure(
            f"ledger, size of a settled pair with a key of {KEY_LENGTH} bytes",
            "≤ 130 bytes",
            f"{each:.0f} bytes",
            each <= 130,
        ),
    ]


def cost_down(scene: Scene) -> list[Figure]:
    """What a new ledger costs a download."""
    count = number_of(scene.small)

    def run(more: Sequence[str]) -> Cost:
        dest = scene.fast / "destination"
        try:
            return scene.sync(f"s3://{scene.small}", str(dest), *more)
        finally:
            shutil.rmtree(dest, ignore_errors=True)

    added = beside_none(scene, run)
    return [each_microsecond(f"ledger, CPU added to each of {count:,} objects fetched", added / count, 3)]


def unchanged_up(scene: Scene) -> list[Figure]:
    """Nothing changed since the files were sent, which is remembered."""
    tree = tree_of(scene, scene.large)
    return unchanged(scene, "up", tree, f"s3://{scene.large}")


def unchanged_down(scene: Scene) -> list[Figure]:
    """Nothing changed since the objects were fetched, which is remembered."""
    dest = scene.fast / "destination"
    try:
        return unchanged(scene, "down", f"s3://{scene.large}", str(dest))
    finally:
        shutil.rmtree(dest, ignore_errors=True)


def unchanged(scene: Scene, direction: str, source: str, dest: str) -> list[Figure]:
    """Runs once, uncounted, and then again and again."""
    scene.forget()
    count, ledger = number_of(scene.large), str(scene.ledger)
    scene.sync(source, dest, "--ledger", ledger)
    costs = [scene.sync(source, dest, "--ledger", ledger) for _ in range(scene.repeat)]
    cpu = statistics.median(cost.cpu for cost in costs) / count
    memory = statistics.median(cost.memory for cost in costs)
    what = f"nothing changed, {direction}, {count:,} files"
    return [
        each_microsecond(f"{what}, CPU for each", cpu, 5),
        Figure(f"{what}, memory", "≤ 64 MiB", f"{memory:.0f} MiB", memory <= 64),
    ]


def indexed(scene: Scene) -> list[Figure]:
    """One file changed, and the bucket is not listed."""
    scene.forget()
    tree, count = tree_of(scene, scene.large), number_of(scene.large)
    command = (tree, f"s3://{scene.large}", "--index", "--ledger", str(scene.ledger))
    scene.sync(*command)
    costs = []
    # Another one each time: the server would show what it had before.
    files = (Path(directory, name) for directory, _, names in os.walk(tree) for name in names)
    contents = {path: path.read_bytes() for path in itertools.islice(files, scene.repeat)}
    try:
        for path, content in contents.items():
            path.write_bytes(content + b"+")
            scene.sent()
            costs.append(scene.sync(*command))
            if (sent := scene.sent()) != 1:
                raise tools.Missing(f"one file changed, and {sent} were sent")
    finally:
        for path, content in contents.items():
            path.write_bytes(content)
    cpu = statistics.median(cost.cpu for cost in costs) / count
    memory = statistics.median(cost.memory for cost in costs)
    what = f"--index, one of {count:,} files changed"
    return [
        each_microsecond(f"{what}, CPU for each", cpu, 3),
        Figure(f"{what}, memory", "≤ 64 MiB", f"{memory:.0f} MiB", memory <= 64),
    ]


def resumed(scene: Scene) -> list[Figure]:
    """A run that is killed when nine tenths of the objects are sent, and the next one."""
    tree, count, ledger = tree_of(scene, scene.large), number_of(scene.large), str(scene.ledger)
    bucket = f"s3://empty-{scene.large}"
    parts = []
    for _ in range(scene.repeat):
        scene.forget()
        whole = scene.sync(tree, bucket, "--ledger", ledger).wall
        scene.forget()
        sent = scene.kill_after(count * 9 // 10, tree, bucket, "--ledger", ledger)
        rest = scene.sync(tree, bucket, "--ledger", ledger).wall
        print(f"whole {whole:.2f} s, killed after {sent:,}, then {scene.sent():,} in {rest:.2f} s", flush=True)
        parts.append(rest / whole)
    part = statistics.median(parts)
    what = f"resumed, {count:,} files, killed at 90 %, part of the whole run's time"
    return [Figure(what, "< 15 %", f"{part:.1%}", part < 0.15)]


def deletions(scene: Scene) -> list[Figure]:
    """Everything is deleted: ten times the objects take no more memory."""
    nothing = scene.fast / "nothing"
    nothing.mkdir(exist_ok=True)
    memory = []
    for objects in (scene.small, scene.large):
        scene.forget()
        more = ("--delete", "--allow-empty-source", "--ledger", str(scene.ledger))
        memory.append(scene.sync(str(nothing), f"s3://{objects}", *more).memory)
    few, many = memory
    what = f"{number_of(scene.large):,} deletions, memory beside {number_of(scene.small):,}"
    return [Figure(what, "≤ 1.10 times", f"{many:.0f} MiB, {many / few:.2f} times", many <= 1.10 * few)]


def each_microsecond(what: str, seconds: float, most: float) -> Figure:
    """Microseconds for each, at most so many."""
    return Figure(what, f"≤ {most:g} µs", f"{seconds * 1e6:.2f} µs", seconds * 1e6 <= most)


def document(figures: Sequence[Figure], scene: Scene, quick: bool) -> str:
    """The whole document."""
    command = f"bench/run --ledger{' --quick' if quick else ''} --repeat {scene.repeat}"
    lines = [
        [figure.what, figure.wanted, figure.measured, "yes" if figure.is_met else "**no**"] for figure in figures
    ]
    parts = [
        "# What a ledger costs, and what it saves",
        f"Measured on {date.today().isoformat()} by `{command}` ([ledger.py](suite/ledger.py)). The figures are"
        " medians. CPU is user and system time of the client alone; the server is the null server of"
        " [RESULTS.md](RESULTS.md), which keeps nothing: what was sent and not yet committed when a run was"
        " killed is sent again, where a real one would have it. The ledger is in memory, the trees are in"
        " the system's caches.",
        table.two_columns("machine", " ", machine.description()),
        table.markdown(("what", "goal", "measured", "reached"), lines, numbers_from=1),
    ]
    return "\n\n".join(parts) + "\n"
