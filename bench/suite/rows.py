"""The work: one row of the results for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional

NULL = "null server"
# The same, which answers each request 50 ms late.
FAR = "null server, 50 ms away"
# The same, which refuses more requests a second than this.
MOST_A_SECOND = 500
THROTTLED = f"null server, {MOST_A_SECOND} requests a second"
# What each is started with: its delay in milliseconds, and the most requests a second.
NULL_SERVERS = {NULL: (0,), FAR: (50,), THROTTLED: (0, MOST_A_SECOND)}
SEAWEED = "SeaweedFS"

# The toolchain's own HTML documentation, in place of a synthetic bucket's name.
DOCS = "docs"
# An empty directory.
NOTHING = "nothing"


@dataclass(frozen=True)
class Row:
    """Work that every contestant does."""

    name: str
    title: str
    kind: str
    """Which of a contestant's command lines does it."""
    server: str
    objects: str
    """The synthetic bucket whose objects they are; or DOCS, or NOTHING."""
    unit: Optional[str]
    """What CPU time is divided by: object, file, key or MiB; none where there is nothing to count."""
    repeat: int = 5
    """Runs of each contestant."""
    floor: bool = False
    """Whether the floor is measured too."""
    quick: Optional[str] = None
    """The objects of a quick run, which leaves the row out if there are none."""
    once: frozenset[str] = frozenset()
    """Contestants that are so slow here that they run once."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Contestants that are left out, and why."""
    notes: tuple[str, ...] = ()
    """What a reader must know."""


SLOW = frozenset({"aws"})
SLOW_TO_COMPARE = frozenset({"aws", "s5cmd", "s3sync"})
MEASURED_SMALLER = {"aws": "takes 100 s; it is measured with 100,000 files"}
TOO_LONG = {"aws": "takes more than three minutes"}

SLOW_TO_LIST = frozenset({"brigade, one lister", "s5cmd", "rclone", "rclone, by directory", "s3sync"})
FAR_TOO_LONG = {"aws": "takes more than three minutes"}

MANY_AT_ONCE = (
    "brigade has its default settings. Each peer has the number of requests at once that was its fastest of 256,"
    " 512 and 1,024."
)
IN_ORDER = (
    "brigade is told that the server lists in byte order, as AWS does (`--provider aws`); of a stranger it would not"
    " believe it."
)
SIZE_ONLY = (
    "s5cmd, rclone, aws and s3sync are told to compare sizes only, which is what juicefs always does; brigade"
    " compares sizes and times. Its `--clock-fudge-factor 0` lets it believe times that are less than 20"
    " minutes apart: the objects are hardly older than the files."
)
OTHER_GUARANTEES = (
    "juicefs and rclone write files in place here (`--inplace`), which is faster; brigade writes them under"
    " another name and renames them."
)
UNSIGNED = (
    "juicefs sends bodies unsigned and without any checksum; brigade, like s5cmd, signs each with its SHA-256"
    " and adds its MD5, which the service checks. The null server hashes whatever comes, on one core: the"
    " fastest wait for it."
)
UNVERIFIED = (
    "brigade compares each object's MD5 with its ETag before the file gets its name, a tenth of its time;"
    " juicefs and s5cmd take what comes."
)
IN_PARTS = (
    "s5cmd writes pieces of a part as they come; brigade writes a part when it is whole, from memory that has"
    " left the cache."
)
OUT_OF_ORDER = (
    "SeaweedFS lists a directory's entries before names that sort before them. juicefs stops at that unless"
    " it lists each directory by itself, and aws takes files for missing and sends them again."
)

ROWS = (
    Row(
        "start",
        "Start-up: an empty directory and an empty bucket",
        "start",
        NULL,
        NOTHING,
        None,
        repeat=11,
        quick=NOTHING,
    ),
    Row(
        "up-4k",
        "20,000 files of 4 KiB up",
        "up",
        NULL,
        "flat-20000-4096",
        "object",
        floor=True,
        quick="flat-20000-4096",
        once=SLOW,
    ),
    Row(
        "down-4k",
        "20,000 objects of 4 KiB down",
        "down",
        NULL,
        "flat-20000-4096",
        "object",
        floor=True,
        quick="flat-20000-4096",
        once=SLOW,
        notes=(OTHER_GUARANTEES,),
    ),
    Row(
        "up-1m",
        "2,000 files of 1 MiB up",
        "up",
        NULL,
        "flat-2000-1048576",
        "MiB",
        quick="flat-200-1048576",
        notes=(UNSIGNED,),
    ),
    Row(
        "down-1m",
        "2,000 objects of 1 MiB down",
        "down",
        NULL,
        "flat-2000-1048576",
        "MiB",
        quick="flat-200-1048576",
        notes=(OTHER_GUARANTEES, UNVERIFIED),
    ),
    Row(
        "up-2g",
        "One file of 2 GiB up",
        "up-big",
        NULL,
        "flat-1-2147483648",
        "MiB",
        quick="flat-1-268435456",
        notes=(UNSIGNED,),
    ),
    Row(
        "down-2g",
        "One object of 2 GiB down",
        "down-big",
        NULL,
        "flat-1-2147483648",
        "MiB",
        quick="flat-1-268435456",
        notes=(OTHER_GUARANTEES, IN_PARTS),
    ),
    Row(
        "unchanged-100k",
        "Nothing changed: 100,000 files in many directories",
        "unchanged",
        NULL,
        "dirs-100000-16",
        "file",
        quick="dirs-100000-16",
        once=SLOW_TO_COMPARE,
        notes=(SIZE_ONLY,),
    ),
    Row(
        "unchanged-1m",
        "Nothing changed: 1,000,000 files in many directories",
        "unchanged",
        NULL,
        "dirs-1000000-16",
        "file",
        once=SLOW_TO_COMPARE,
        without=MEASURED_SMALLER,
        notes=(SIZE_ONLY,),
    ),
    Row(
        "unchanged-1m-flat",
        "Nothing changed: 1,000,000 files in one directory",
        "unchanged",
        NULL,
        "flat-1000000-16",
        "file",
        once=SLOW_TO_COMPARE,
        without=MEASURED_SMALLER,
        notes=(SIZE_ONLY,),
    ),
    Row(
        "list-1m",
        "Listing 1,000,000 keys to a file",
        "list",
        NULL,
        "flat-1000000-16",
        "key",
        quick="flat-100000-16",
        once=SLOW,
        notes=("rclone writes keys alone; the others, times and sizes too.",),
    ),
    Row(
        "check-4k",
        "Checking 20,000 objects of 4 KiB against their files, all of them read",
        "check",
        NULL,
        "flat-20000-4096",
        "object",
        quick="flat-20000-4096",
    ),
    Row(
        "far-up-4k",
        "20,000 files of 4 KiB up, through 50 ms of latency",
        "up-far",
        FAR,
        "flat-20000-4096",
        "object",
        repeat=3,
        quick="flat-2000-4096",
        without=FAR_TOO_LONG,
        notes=(MANY_AT_ONCE,),
    ),
    Row(
        "far-unchanged-1m",
        "Nothing changed: 1,000,000 files in many directories, through 50 ms of latency",
        "unchanged-far",
        FAR,
        "dirs-1000000-16",
        "file",
        repeat=3,
        quick="dirs-100000-16",
        once=SLOW_TO_LIST,
        without=FAR_TOO_LONG,
        notes=(SIZE_ONLY, IN_ORDER),
    ),
    Row(
        "throttled-up-4k",
        f"20,000 files of 4 KiB up, to a server that refuses more than {MOST_A_SECOND} requests a second",
        "throttled",
        THROTTLED,
        "flat-20000-4096",
        "object",
        repeat=1,
        notes=("A refused request is sent again later. By hand: `brigade-bench null-server PORT 0 500`.",),
    ),
    Row(
        "against-nothing-10m",
        "10,000,000 keys against an empty directory, in a dry run",
        "against-nothing",
        NULL,
        "flat-10000000-16",
        "key",
        repeat=1,
    ),
    Row(
        "docs-up",
        "The Rust toolchain's HTML documentation up",
        "up",
        SEAWEED,
        DOCS,
        "file",
        repeat=3,
        without=TOO_LONG,
    ),
    Row(
        "docs-down",
        "The Rust toolchain's HTML documentation down",
        "down-unordered",
        SEAWEED,
        DOCS,
        "file",
        repeat=3,
        without=TOO_LONG,
        notes=(OTHER_GUARANTEES, OUT_OF_ORDER),
    ),
    Row(
        "docs-unchanged",
        "The Rust toolchain's HTML documentation, nothing changed",
        "unchanged-unordered",
        SEAWEED,
        DOCS,
        "file",
        once=SLOW,
        notes=(SIZE_ONLY, OUT_OF_ORDER),
    ),
    Row(
        "up-4k-seaweed",
        "20,000 files of 4 KiB up",
        "up",
        SEAWEED,
        "flat-20000-4096",
        "object",
        repeat=3,
        once=SLOW,
        quick="flat-2000-4096",
    ),
    Row(
        "down-4k-seaweed",
        "20,000 objects of 4 KiB down",
        "down",
        SEAWEED,
        "flat-20000-4096",
        "object",
        repeat=3,
        once=SLOW,
        notes=(OTHER_GUARANTEES,),
    ),
    Row("up-1m-seaweed", "2,000 files of 1 MiB up", "up", SEAWEED, "flat-2000-1048576", "MiB", repeat=3),
    Row(
        "down-1m-seaweed",
        "2,000 objects of 1 MiB down",
        "down",
        SEAWEED,
        "flat-2000-1048576",
        "MiB",
        repeat=3,
        notes=(OTHER_GUARANTEES,),
    ),
    Row("up-2g-seaweed", "One file of 2 GiB up", "up-big", SEAWEED, "flat-1-2147483648", "MiB", repeat=3),
    Row(
        "down-2g-seaweed",
        "One object of 2 GiB down",
        "down-big",
        SEAWEED,
        "flat-1-2147483648",
        "MiB",
        repeat=3,
        notes=(OTHER_GUARANTEES, IN_PARTS),
    ),
)

NAMES = tuple(row.name for row in ROWS)

# Who takes part in a quick run.
QUICK_CONTESTANTS = ("brigade", "floor", "s5cmd", "juicefs", "rclone")
QUICK_REPEAT = 2


def goes_up(row: Row) -> bool:
    """Whether objects are sent."""
    return row.kind.partition("-")[0] in ("up", "throttled")


def goes_down(row: Row) -> bool:
    """Whether objects are fetched."""
    return row.kind.partition("-")[0] == "down"


def reads_all(row: Row) -> bool:
    """Whether the content of objects and files is read, and nothing written."""
    return row.kind == "check"


def needs_files(row: Row) -> bool:
    """Whether the objects must be there as files, too."""
    return row.kind != "against-nothing"
