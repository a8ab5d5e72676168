"""Runs the contestants of a row in turn."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence

import checks
import contestants
import measure
import rows
import servers
import tools
import trees
from checks import Traces
from contestants import Contestant
from measure import Cost
from places import RELEASE, WORK, search_path
from rows import Row
from servers import Server
from trees import Tree

# Seconds after which a run is ended, and counts as failed.
LONGEST = 900.0


@dataclass(frozen=True)
class Run:
    """One run of one contestant."""

    row: str
    contestant: str
    cost: Cost
    counts: Optional[dict[str, int]]
    """Requests by operation, where they were counted."""
    problem: Optional[str]
    """Why it does not count; none if the work was done."""


@dataclass(frozen=True)
class Scene:
    """What is the same for all runs of a row."""

    row: Row
    objects: str
    tree: Tree
    server: Server
    fast: Path


def takes_part(row: Row, contestant: Contestant) -> bool:
    """Whether this contestant can do this work, and does it in bearable time."""
    if contestant.name == contestants.FLOOR:
        return row.floor
    return contestants.template(contestant, row.kind) is not None and contestant.name not in row.without


def run_row(
    row: Row, objects: str, chosen: Sequence[Contestant], repeat: int, fast: Path, tell: Callable[[Run], None]
) -> tuple[Tree, list[Run]]:
    """All runs of a row, A B C A B C: a machine that slows down slows all of them."""
    if not chosen:
        raise tools.Missing("none of the contestants takes part")
    tree = trees.tree(objects, fast, rows.needs_files(row))
    done: list[Run] = []
    with servers.running(row.server, fast, WORK / "server.log") as server:
        fill(row, tree, server)
        scene = Scene(row, objects, tree, server, fast)
        if rows.needs_files(row) and not rows.goes_down(row):
            trees.warm(tree.path, with_content=rows.goes_up(row) or rows.reads_all(row))
        # The first run after files were made pays for memory that the system has to find: it is not counted.
        run_one(scene, chosen[0], repeat)
        for repetition in range(repeat):
            for contestant in chosen:
                has_failed = any(run.problem for run in done if run.contestant == contestant.name)
                if has_failed or repetition > 0 and contestant.name in row.once:
                    continue
                done.append(run_one(scene, contestant, repetition))
                tell(done[-1])
    return tree, done


def fill(row: Row, tree: Tree, server: Server) -> None:
    """Sends to SeaweedFS what is to be there before the first run."""
    if server.kind in rows.NULL_SERVERS or rows.goes_up(row):
        return
    servers.change_bucket(server, "PUT", "filled")
    command = [str(RELEASE / "brigade"), "sync", str(tree.path), "s3://filled", "--quiet", "--no-ledger"]
    subprocess.run(command, env=environment(server), check=True)


def run_one(scene: Scene, contestant: Contestant, repetition: int) -> Run:
    """One measured run, in a new bucket or to a new directory."""
    row, server = scene.row, scene.server
    bucket = bucket_of(scene, contestant, repetition)
    is_new = server.kind == rows.SEAWEED and rows.goes_up(row)
    if is_new:
        servers.change_bucket(server, "PUT", bucket)
    destination, output = scene.fast / "destination", scene.fast / "output"
    errors = WORK / "errors" / f"{row.name}-{contestant.name}.txt"
    errors.parent.mkdir(exist_ok=True)
    destination.mkdir()
    line = contestants.template(contestant, row.kind)
    assert line is not None
    command = contestants.command(
        line,
        {
            "ENDPOINT": server.endpoint,
            "ADDRESS": server.address,
            "BUCKET": bucket,
            "OBJECTS": scene.objects,
            "TREE": str(scene.tree.path),
            "DEST": str(destination),
        },
    )
    before = listing(scene, bucket)
    servers.take_counts(server)
    try:
        cost = measure.run(command, environment(server), home(), output, errors, timeout=LONGEST)
        counts = servers.take_counts(server)
        traces = Traces(cost, counts, before, listing(scene, bucket), destination, output)
        problem = checks.problem(row, contestant.name, scene.tree, traces)
    finally:
        shutil.rmtree(destination)
        output.unlink(missing_ok=True)
    if is_new:
        servers.change_bucket(server, "DELETE", bucket)
    return Run(row.name, contestant.name, cost, counts, problem)


def bucket_of(scene: Scene, contestant: Contestant, repetition: int) -> str:
    """SeaweedFS has a new bucket for each upload; the null server keeps nothing, and its buckets just are."""
    row = scene.row
    if scene.server.kind == rows.SEAWEED:
        return f"{contestant.name}-{repetition}" if rows.goes_up(row) else "filled"
    return "empty" if rows.goes_up(row) or row.objects == rows.NOTHING else scene.objects


def listing(scene: Scene, bucket: str) -> bytes:
    """A line for each object of the bucket: its time, size and key. The null server counts requests instead,
    and what is fetched needs no such look."""
    if scene.server.kind in rows.NULL_SERVERS or rows.goes_down(scene.row):
        return b""
    command = [str(RELEASE / "brigade"), "ls", "--recursive", f"s3://{bucket}"]
    return subprocess.run(command, env=environment(scene.server), check=True, stdout=subprocess.PIPE).stdout


def home() -> Path:
    """The home and working directory of all contestants."""
    directory = WORK / "home"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "aws-config").write_text(contestants.AWS_CONFIG)
    return directory


def environment(server: Server) -> dict[str, str]:
    """All of the environment that a contestant has."""
    variables = contestants.variables(server.endpoint, str(home() / "aws-config"))
    return {"PATH": search_path(), "HOME": str(home()), "LANG": "C.UTF-8", **variables}
