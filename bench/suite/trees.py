"""The directories that are sent or compared: made once, and told how large they are."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import tools
from places import RELEASE, WORK
from rows import DOCS, NOTHING

# Files of this size or larger lie in the fast place.
LARGE = 1 << 20


@dataclass(frozen=True)
class Tree:
    """A directory of files."""

    path: Path
    files: int
    size: int
    """Bytes in all files."""


def tree(objects: str, fast: Path, needs_files: bool = True) -> Tree:
    """The files of these objects; they are made if they are needed and not there yet."""
    if objects == DOCS:
        path = tools.documentation()
        if path is None:
            raise tools.Missing("the toolchain has no HTML documentation (rustup component add rust-docs)")
        return measured(path)
    if objects == NOTHING:
        path = fast / NOTHING
        path.mkdir(exist_ok=True)
        return Tree(path, 0, 0)
    _, count, size = objects.split("-")
    path = (fast if int(size) >= LARGE else WORK / "trees") / objects
    if needs_files and not path.exists():
        make(path, objects)
    return Tree(path, int(count), int(count) * int(size))


def make(path: Path, objects: str) -> None:
    """Makes the files under another name first: what was interrupted is not taken for whole."""
    print(f"making {objects} ...", flush=True)
    unfinished = path.with_name(f"{path.name}.part")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    subprocess.run([RELEASE / "brigade-bench", "tree", unfinished, objects], check=True)
    unfinished.rename(path)
    # Or the disk would write them while others are measured.
    os.sync()


def measured(path: Path) -> Tree:
    """The files below a directory, counted: walking them also brings them into the system's caches."""
    files = size = 0
    for directory, _, names in os.walk(path):
        files += len(names)
        size += sum(os.stat(os.path.join(directory, name)).st_size for name in names)
    return Tree(path, files, size)


def warm(path: Path, with_content: bool) -> None:
    """Brings the directory into the system's caches, so that nobody pays for the disk."""
    buffer = bytearray(1 << 20)
    for directory, _, names in os.walk(path):
        for name in names:
            file = os.path.join(directory, name)
            if not with_content:
                os.stat(file)
                continue
            with open(file, "rb", buffering=0) as content:
                while content.readinto(buffer):
                    pass
