"""Runs one command and tells what it cost: wall time, CPU time, peak memory.

The peak memory that Linux reports of a process includes that of the program which it was before its exec, and
a child of Python begins as large as Python. So each command is started from a small shell, which ends at
once: the command then becomes a child of this process (a "subreaper"), and `wait4` tells what it took, with
all its waited-for children. `/bin/true` measures 1 MiB and 1 ms.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

PR_SET_CHILD_SUBREAPER = 36

# Starts the command in the background, tells its process id, and lets it go on when a line comes.
LAUNCHER = """
exec 3<&0
output=$1 errors=$2
shift 2
{ read -r _ <&3 && exec "$@" </dev/null >"$output" 2>"$errors" 3<&-; } &
echo $!
"""


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    exit_code: int
    """As the shell has it; minus the signal's number if it was killed."""
    timed_out: bool
    wall: float
    """Seconds from exec to end."""
    cpu: float
    """Seconds, user and system together, of the process and its children."""
    memory: float
    """MiB, of the largest process at its largest."""


def adopt_orphans() -> None:
    """Makes this process the parent of what its descendants leave behind; once, before the first run."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    output: Path,
    errors: Path,
    timeout: float,
) -> Cost:
    """Runs the command in `directory`, with its output in files; kills it after `timeout` seconds."""
    shell = subprocess.Popen(
        ["/bin/sh", "-c", LAUNCHER, "sh", str(output), str(errors), *command],
        env=dict(environment),
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    ended = False
    try:
        with shell:
            assert shell.stdout is not None and shell.stdin is not None
            process = int(shell.stdout.readline())
            shell.wait()
            started = time.perf_counter()
            shell.stdin.write(b"\n")
            shell.stdin.flush()
            ended = ends_within(process, timeout)
            wall = time.perf_counter() - started
    finally:
        if not ended:
            # Whatever it started is in its group, which is the shell's.
            os.killpg(shell.pid, signal.SIGKILL)
    _, status, usage = os.wait4(process, 0)
    return Cost(
        exit_code=os.waitstatus_to_exitcode(status),
        timed_out=not ended,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
    )


def ends_within(process: int, seconds: float) -> bool:
    """Waits for the child to end, without taking its status."""
    descriptor = os.pidfd_open(process)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)
