"""What the machine is, without saying which one."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def description() -> list[tuple[str, str]]:
    """Names and values, for people."""
    return [
        ("processor", field("/proc/cpuinfo", "model name", "unknown")),
        ("cores", str(len(os.sched_getaffinity(0)))),
        ("memory", f"{int(field('/proc/meminfo', 'MemTotal', '0 kB').split()[0]) / (1 << 20):.0f} GiB"),
        ("system", f"{field('/etc/os-release', 'PRETTY_NAME', 'Linux')}, {platform.machine()}"),
        ("kernel", platform.release().partition("-")[0]),
    ]


def field(file: str, name: str, default: str) -> str:
    """The first value of this name in a file of `name: value` or `name=value` lines."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return default
    for line in lines:
        for separator in (":", "="):
            found, is_pair, value = line.partition(separator)
            if is_pair and found.strip() == name:
                return value.strip().strip('"')
    return default
