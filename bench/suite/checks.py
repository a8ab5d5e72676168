"""Checks that a run did its work: a program that gives up early is fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import contestants
import rows
import trees
from measure import Cost
from rows import Row
from trees import Tree


@dataclass(frozen=True)
class Traces:
    """What a run left behind."""

    cost: Cost
    counts: Optional[dict[str, int]]
    """Requests by operation, where the server counts them."""
    before: bytes
    """The bucket's listing, where the server counts no requests."""
    after: bytes
    destination: Path
    output: Path


def problem(row: Row, contestant: str, tree: Tree, traces: Traces) -> Optional[str]:
    """Why a run does not count; none if the work was done."""
    if traces.cost.timed_out:
        return "took too long"
    if traces.cost.exit_code != 0:
        return f"exit code {traces.cost.exit_code}"
    if rows.goes_up(row):
        sent = objects_sent(traces.counts) if traces.counts is not None else traces.after.count(b"\n")
        return None if sent == tree.files else f"sent {sent} of {tree.files} objects"
    if rows.goes_down(row) and contestant == contestants.FLOOR:
        # It keeps nothing.
        received = (traces.counts or {}).get("GetObject", 0)
        return None if received == tree.files else f"received {received} of {tree.files} objects"
    if rows.goes_down(row):
        found = trees.measured(traces.destination)
        is_whole = (found.files, found.size) == (tree.files, tree.size)
        return None if is_whole else f"received {found.files} of {tree.files} objects, {found.size} bytes"
    if row.kind == "list":
        lines = count_lines(traces.output)
        return None if lines == tree.files else f"listed {lines} of {tree.files} keys"
    if row.kind == "against-nothing":
        pages = (traces.counts or {}).get("ListObjectsV2", 0)
        return None if pages * 1000 >= tree.files else f"listed {pages} pages for {tree.files} keys"
    if rows.reads_all(row):
        fetched = (traces.counts or {}).get("GetObject", 0)
        return None if fetched == tree.files else f"read {fetched} of {tree.files} objects"
    if traces.counts is not None:
        sent = objects_sent(traces.counts)
        return None if sent == 0 else f"sent {sent} objects that were there"
    return sent_again(traces.before, traces.after)


def objects_sent(counts: dict[str, int]) -> int:
    """Objects that were written, whole or in parts."""
    return counts.get("PutObject", 0) + counts.get("CompleteMultipartUpload", 0)


def sent_again(before: bytes, after: bytes) -> Optional[str]:
    """Whether objects were written, by two listings of the bucket, which tell when each was."""
    changed = set(after.splitlines()) - set(before.splitlines())
    return f"sent {len(changed)} objects that were there" if changed else None


def count_lines(file: Path) -> int:
    """Lines in a file of any size."""
    with file.open("rb") as lines:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b""))
