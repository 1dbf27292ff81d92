"""A berth that serves one configuration."""

import http.client
import os
import subprocess
import tempfile

from stores.postgres import free_port, wait

STOP_SECONDS = 15


class Server:
    """Started with an environment of its own; `with` ends it. Its log is in `log`."""

    def __init__(self, binary, environment):
        self.binary = binary
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="berth-conformance-")
        own = {"PORT": str(self.port), "HOST": "127.0.0.1", "LOG_FORMAT": "json", "TMPDIR": self.folder.name}
        # A berth bounds its answers by its memory, unless told otherwise; the specification knows of no bound then.
        unbounded = {} if "PGRST_DB_MAX_ROWS" in environment else {"MAX_ROWS": "none"}
        self.environment = {"PATH": os.environ["PATH"]} | unbounded | environment | own
        self.log = os.path.join(self.folder.name, "log")

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve"], env=self.environment, cwd=self.folder.name, stdout=log, stderr=log
            )
        wait(self.answers, "berth")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(STOP_SECONDS)
        self.folder.cleanup()

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log) as log:
                raise RuntimeError(f"berth ended: {log.read()}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()
