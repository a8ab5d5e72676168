"""Where things lie: programs, work that is kept, and the fast place that is removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
TARGET = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve()
RELEASE = TARGET / "release"
TOOLS = TARGET / "bench-tools"
WORK = TARGET / "bench-work"
RAW = TARGET / "bench-raw.jsonl"

# Bytes that the fast place must have room for: a file of 2 GiB, its copy, and what a server keeps of it.
ROOM = 9 << 30


@contextlib.contextmanager
def fast_place() -> Iterator[Path]:
    """A directory for large files and for what is downloaded, removed at the end.

    It is in memory where there is room: creating files just after many were removed waits for the disk's
    journal, which has nothing to do with the contestants.
    """
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and min(shutil.disk_usage(memory).free, memory_available()) >= ROOM
    place = Path(tempfile.mkdtemp(prefix="brigade-bench-", dir=memory if has_room else WORK))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def memory_available() -> int:
    """Bytes that could be taken without swapping."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def search_path() -> str:
    """Where contestants are found, by name."""
    directories = (RELEASE, TOOLS / "python/bin", TOOLS / "s3sync/bin", Path("/usr/bin"), Path("/bin"))
    return ":".join(map(str, directories))
