"""Who takes part, and with which command lines: each contestant's best documented settings.

A command line is a template; the names in it are explained by `PLACEHOLDERS`. The results print it as it is.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from string import Template
from typing import Mapping, Optional

OURS = "brigade"
ONE_LISTER = "brigade, one lister"
FLOOR = "floor"

PLACEHOLDERS = {
    "ENDPOINT": "the server, `http://127.0.0.1:PORT`",
    "ADDRESS": "the same without `http://`",
    "BUCKET": "the bucket",
    "OBJECTS": "the synthetic bucket that holds the row's objects",
    "TREE": "the directory that is sent, or compared",
    "DEST": "the directory, new for each run, that is filled",
}

ACCESS_KEY = "bench"
SECRET_KEY = "bench-secret"

# The file that AWS_CONFIG_FILE names.
AWS_CONFIG = """[default]
region = us-east-1
s3 =
  addressing_style = path
  max_concurrent_requests = 64
  max_queue_size = 10000
"""


@dataclass(frozen=True)
class Contestant:
    """One program."""

    name: str
    version: Optional[str]
    """The command that tells its version; none where there is none."""
    commands: Mapping[str, str]
    """The command line for each kind of work; what is missing it can't do."""


FAR_UNCHANGED = "brigade sync $TREE s3://$BUCKET --quiet --no-ledger --clock-fudge-factor 0 --provider aws"
S5CMD = "s5cmd --log error --endpoint-url $ENDPOINT"
JUICEFS = "juicefs sync -q -p 64 --no-https"
JUICEFS_BUCKET = f"minio://{ACCESS_KEY}:{SECRET_KEY}@$ADDRESS/$BUCKET/"
# Each directory is listed by itself: the only way for it to get along with listings that are out of order.
JUICEFS_BY_DIRECTORY = "--list-threads 16 --list-depth 8"
RCLONE = "--transfers 64 --checkers 64 --s3-no-check-bucket"
AWS = "aws --endpoint-url $ENDPOINT s3"
S3SYNC = "s3sync -qq --show-no-progress --worker-size 64"


def s3sync_side(side: str) -> str:
    """The options of s3sync for a bucket which is the source, or the target."""
    return (
        f"--{side}-endpoint-url $ENDPOINT --{side}-force-path-style --{side}-region us-east-1"
        f" --{side}-access-key {ACCESS_KEY} --{side}-secret-access-key {SECRET_KEY}"
    )


ALL = (
    Contestant(
        name=OURS,
        version="brigade --version",
        commands={
            "up": "brigade sync $TREE s3://$BUCKET --quiet --no-ledger",
            "down": "brigade sync s3://$BUCKET $DEST --quiet --no-ledger",
            "unchanged": "brigade sync $TREE s3://$BUCKET --quiet --no-ledger --clock-fudge-factor 0",
            "unchanged-far": f"{FAR_UNCHANGED} --listers 16",
            "list": "brigade ls --recursive s3://$BUCKET",
            "check": "brigade check $TREE s3://$BUCKET --quiet --no-ledger",
            "start": "brigade sync $TREE s3://$BUCKET --quiet --no-ledger",
            "throttled": "brigade sync $TREE s3://$BUCKET --quiet --no-ledger",
            "against-nothing": "brigade sync s3://$BUCKET $DEST --dry-run --quiet --no-ledger",
        },
    ),
    Contestant(name=ONE_LISTER, version=None, commands={"unchanged-far": f"{FAR_UNCHANGED} --listers 1"}),
    Contestant(
        name=FLOOR,
        version=None,
        commands={
            "up": "brigade-bench floor put $ADDRESS $OBJECTS 64",
            "down": "brigade-bench floor get $ADDRESS $OBJECTS 64",
        },
    ),
    Contestant(
        name="s5cmd",
        version="s5cmd version",
        commands={
            "up": f"{S5CMD} --numworkers 64 cp $TREE/ s3://$BUCKET/",
            "down": f"{S5CMD} --numworkers 64 cp 's3://$BUCKET/*' $DEST/",
            "up-far": f"{S5CMD} --numworkers 1024 cp $TREE/ s3://$BUCKET/",
            "up-big": f"{S5CMD} cp --concurrency 16 --part-size 16 $TREE/ s3://$BUCKET/",
            "down-big": f"{S5CMD} cp --concurrency 16 --part-size 16 's3://$BUCKET/*' $DEST/",
            "unchanged": f"{S5CMD} --numworkers 64 sync --size-only $TREE/ s3://$BUCKET/",
            "list": "s5cmd --endpoint-url $ENDPOINT ls 's3://$BUCKET/*'",
            "start": f"{S5CMD} --numworkers 64 sync --size-only $TREE/ s3://$BUCKET/",
        },
    ),
    Contestant(
        name="juicefs",
        version="juicefs --version",
        commands={
            "up": f"{JUICEFS} $TREE/ {JUICEFS_BUCKET}",
            "up-far": f"juicefs sync -q -p 512 --no-https $TREE/ {JUICEFS_BUCKET}",
            "unchanged-far": f"{JUICEFS} {JUICEFS_BY_DIRECTORY} $TREE/ {JUICEFS_BUCKET}",
            "down": f"{JUICEFS} --inplace {JUICEFS_BUCKET} $DEST/",
            "down-unordered": f"{JUICEFS} --inplace {JUICEFS_BY_DIRECTORY} {JUICEFS_BUCKET} $DEST/",
            "unchanged": f"{JUICEFS} $TREE/ {JUICEFS_BUCKET}",
            "unchanged-unordered": f"{JUICEFS} {JUICEFS_BY_DIRECTORY} $TREE/ {JUICEFS_BUCKET}",
            "start": f"{JUICEFS} $TREE/ {JUICEFS_BUCKET}",
        },
    ),
    Contestant(
        name="rclone",
        version="rclone version",
        commands={
            "up": f"rclone copy $TREE bench:$BUCKET {RCLONE} --fast-list --s3-no-head",
            "up-far": "rclone copy $TREE bench:$BUCKET --transfers 1024 --checkers 64 --s3-no-check-bucket"
            " --fast-list --s3-no-head",
            "down": f"rclone copy bench:$BUCKET $DEST {RCLONE} --fast-list --s3-no-head-object"
            " --use-server-modtime --inplace",
            "up-big": f"rclone copy $TREE bench:$BUCKET {RCLONE} --s3-no-head --s3-disable-checksum"
            " --multi-thread-streams 0 --s3-upload-concurrency 16 --s3-chunk-size 16M",
            "down-big": f"rclone copy bench:$BUCKET $DEST {RCLONE} --s3-no-head-object --use-server-modtime"
            " --inplace --multi-thread-streams 16 --multi-thread-chunk-size 16M",
            "unchanged": f"rclone sync $TREE bench:$BUCKET {RCLONE} --fast-list --size-only",
            "list": "rclone lsf --recursive --fast-list --s3-list-version 2 bench:$BUCKET",
            "check": "rclone check $TREE bench:$BUCKET --download --checkers 64 --fast-list --s3-list-version 2 --quiet",
            "start": f"rclone sync $TREE bench:$BUCKET {RCLONE} --fast-list --size-only",
        },
    ),
    Contestant(
        name="rclone, by directory",
        version=None,
        commands={"unchanged-far": f"rclone sync $TREE bench:$BUCKET {RCLONE} --size-only"},
    ),
    Contestant(
        name="aws",
        version="aws --version",
        commands={
            "up": f"{AWS} cp --recursive --only-show-errors $TREE s3://$BUCKET/",
            "down": f"{AWS} cp --recursive --only-show-errors s3://$BUCKET/ $DEST",
            "unchanged": f"{AWS} sync --only-show-errors --size-only $TREE s3://$BUCKET/",
            "list": f"{AWS} ls --recursive s3://$BUCKET/",
            "start": f"{AWS} sync --only-show-errors --size-only $TREE s3://$BUCKET/",
        },
    ),
    Contestant(
        name="s3sync",
        version=None,
        commands={
            "up": f"{S3SYNC} {s3sync_side('target')} $TREE/ s3://$BUCKET/",
            "up-far": f"s3sync -qq --show-no-progress --worker-size 512 {s3sync_side('target')} $TREE/ s3://$BUCKET/",
            "down": f"{S3SYNC} {s3sync_side('source')} s3://$BUCKET/ $DEST/",
            # It can't verify what was uploaded whole and is fetched in parts.
            "down-unordered": f"{S3SYNC} {s3sync_side('source')} --multipart-threshold 64MiB"
            " s3://$BUCKET/ $DEST/",
            "unchanged": f"{S3SYNC} {s3sync_side('target')} --check-size $TREE/ s3://$BUCKET/",
            "start": f"{S3SYNC} {s3sync_side('target')} $TREE/ s3://$BUCKET/",
        },
    ),
)

NAMES = tuple(contestant.name for contestant in ALL)


def template(contestant: Contestant, kind: str) -> Optional[str]:
    """The command line for this kind of work; where `up-big` has none of its own it goes as `up`."""
    return contestant.commands.get(kind) or contestant.commands.get(kind.partition("-")[0])


def command(line: str, values: Mapping[str, str]) -> list[str]:
    """The words of a command line with these values in place of the names."""
    return [Template(word).substitute(values) for word in shlex.split(line)]


def variables(endpoint: str, aws_config: str) -> dict[str, str]:
    """What every contestant finds in its environment. It names no file of the user's."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": aws_config,
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "S3_ENDPOINT_URL": endpoint,
        "RCLONE_CONFIG": "/dev/null",
        "RCLONE_CONFIG_BENCH_TYPE": "s3",
        "RCLONE_CONFIG_BENCH_PROVIDER": "Other",
        "RCLONE_CONFIG_BENCH_ENDPOINT": endpoint,
        "RCLONE_CONFIG_BENCH_REGION": "us-east-1",
        "RCLONE_CONFIG_BENCH_ACCESS_KEY_ID": ACCESS_KEY,
        "RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY": SECRET_KEY,
    }
