"""The servers: started on a free port of the loopback interface, stopped whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence

from places import RELEASE, TOOLS
from rows import NULL_SERVERS

# Keeps a server until its standard input closes, which happens however this process ends. What Ctrl-C sends
# to the whole group must not end it before.
SUPERVISOR = """
trap '' HUP INT TERM
log=$1
shift
"$@" >"$log" 2>&1 </dev/null &
cat >/dev/null
kill -KILL $!
wait
"""

# SeaweedFS's parts; each listens for HTTP and for gRPC.
PARTS = ("master", "volume", "filer", "s3")

# How SeaweedFS is started; volumes are sparse files. The results print it.
SEAWEED_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.iam=false",
    "-master.volumeSizeLimitMB=1024",
    "-volume.max=1000",
    "-volume.minFreeSpace=1MiB",
)

# Seconds until a server must answer.
PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    kind: str
    address: str
    """`host:port`."""

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{self.address}"


@contextlib.contextmanager
def running(kind: str, fast: Path, log: Path) -> Iterator[Server]:
    """Starts a server of this kind with its data in the fast place; it is stopped and its data removed."""
    if kind in NULL_SERVERS:
        # It says of its objects that they were written in the second of its start: after those of all files.
        time.sleep(1.1)
        (port,) = free_ports(1)
        command = [str(RELEASE / "brigade-bench"), "null-server", str(port), *map(str, NULL_SERVERS[kind])]
        ready = [(port, "/_counts")]
    else:
        ports = free_ports(2 * len(PARTS))
        command = seaweed(ports, fast)
        port = ports[6]
        # The gateway is up, and the master has a volume to write to.
        ready = [(port, "/healthz"), (ports[0], "/dir/assign")]
    process = subprocess.Popen(
        ["/bin/sh", "-c", SUPERVISOR, "sh", str(log), *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
        cwd=fast,
    )
    try:
        wait_until_ready(kind, ready, log)
        yield Server(kind, f"127.0.0.1:{port}")
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        shutil.rmtree(fast / "seaweed", ignore_errors=True)


def seaweed(ports: Sequence[int], fast: Path) -> list[str]:
    """The command line of SeaweedFS, with everything in the fast place."""
    command = [str(TOOLS / "python/bin/weed"), "-logtostderr", "server", "-s3", *SEAWEED_OPTIONS]
    for number, part in enumerate(PARTS):
        command += [f"-{part}.port={ports[2 * number]}", f"-{part}.port.grpc={ports[2 * number + 1]}"]
    data = fast / "seaweed"
    data.mkdir()
    return [*command, f"-dir={data}"]


def free_ports(count: int) -> list[int]:
    """Ports below those that the system gives to outgoing connections, which nobody listens on."""
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        for port in range(21_000, 32_000):
            listener = stack.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
            if len(ports) == count:
                return ports
    raise OSError("no free ports")


def wait_until_ready(kind: str, ready: Sequence[tuple[int, str]], log: Path) -> None:
    """Returns when all these paths are answered."""
    deadline = time.monotonic() + PATIENCE
    while not all(answers(port, path) for port, path in ready):
        if time.monotonic() > deadline:
            raise OSError(f"{kind} did not start; see {log}")
        time.sleep(0.1)


def answers(port: int, path: str) -> bool:
    """Whether a GET of the path is answered with 200."""
    try:
        return request(f"127.0.0.1:{port}", "GET", path)[0] == 200
    except OSError:
        return False


def request(address: str, method: str, path: str) -> tuple[int, bytes]:
    """Sends one request: the status and the body of the answer."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def take_counts(server: Server) -> Optional[dict[str, int]]:
    """Requests by operation since this was last asked; the null server alone counts them."""
    if server.kind not in NULL_SERVERS:
        return None
    counts: dict[str, int] = json.loads(request(server.address, "GET", "/_counts")[1])
    return counts


def change_bucket(server: Server, method: str, bucket: str) -> None:
    """Makes (PUT) or removes (DELETE) a bucket, with all that is in it."""
    status, body = request(server.address, method, f"/{bucket}")
    if status >= 300:
        raise OSError(f"{method} of the bucket {bucket} was answered with {status}: {body[:200]!r}")
