"""A throw-away Postgres server with PostgREST's fixtures.

The fixtures are loaded once; a reset makes the database anew from that template, rows in the same order. Where PostGIS is
not installed, a few lines stand for what the fixtures need of it, and its tests cannot pass.
"""

import glob
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

DATABASE = "conformance"
TEMPLATE = "conformance_template"
# As upstream's tests call it: capitals and all.
AUTHENTICATOR = "Postgrest_Test_Authenticator"
START_SECONDS = 60
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Statistics change plans, and vacuum the order of rows: both are tested.
    "autovacuum": "off",
    "max_connections": "60",
    "timezone": "utc",
    "shared_preload_libraries": "pg_stat_statements",
}
WITHOUT_POSTGIS = r"""
create domain extensions.geometry as text;
create function extensions.st_geomfromgeojson(given text) returns extensions.geometry language sql immutable
  as 'select given::extensions.geometry';
create function extensions.st_astwkb(given extensions.geometry) returns bytea language sql immutable
  as 'select null::bytea';
"""


class Postgres:
    """The server; `fixtures` is the directory of the fixtures' SQL. It needs no program of berth's."""

    def __init__(self, fixtures, _berth=None):
        self.fixtures = fixtures
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-conformance-"))
        self.port = free_port()
        self.server = None
        self.lacks = set()

    @property
    def version(self):
        return int(self.sql("postgres", "show server_version_num")) // 10_000

    def start(self):
        data = self.folder / "data"
        data.mkdir()
        if is_root():
            subprocess.run(["chown", "-R", "postgres", self.folder], check=True)
        self.run("initdb", "--no-locale", "--encoding=UTF8", "--auth=trust", "--username=postgres", "--no-sync", "-D", data)
        options = [f"-cport={self.port}", f"-cunix_socket_directories={self.folder}"]
        options += [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with open(self.folder / "log", "wb") as log:
            command = [*as_owner(), program("postgres"), "-D", data, *options]
            self.server = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        wait(lambda: self.answers(), "Postgres")
        self.load()

    def load(self):
        self.sql("postgres", f"create database {DATABASE}")
        self.sql("postgres", f'create role "{AUTHENTICATOR}" login noinherit')
        found = self.sql(DATABASE, "select count(*) from pg_available_extensions where name = 'postgis'")
        scripts = self.folder / "fixtures"
        shutil.copytree(self.fixtures, scripts)
        change(scripts / "load.sql", r"^\\ir \.\./.*$", "")
        # Two runs on one machine do not share the file of the foreign table.
        for script in scripts.glob("*.sql"):
            change(script, r"/tmp/(projects_dump\.csv)", str(self.folder / "data" / r"\1"))
        if found == "0":
            self.lacks.add("postgis")
            self.replace_postgis(scripts)
        if is_root():
            subprocess.run(["chown", "-R", "postgres", scripts], check=True)
        options = {"PGTZ": "utc", "PGOPTIONS": "-c search_path=public,test"}
        self.run("psql", *self.connection(DATABASE), "-v", f"PGUSER={AUTHENTICATOR}", "-f", scripts / "load.sql", env=options)
        self.sql(DATABASE, "vacuum analyze")
        self.sql("postgres", f"create database {TEMPLATE} template {DATABASE}")

    def replace_postgis(self, scripts):
        (scripts / "without_postgis.sql").write_text(WITHOUT_POSTGIS)
        schema = scripts / "schema.sql"
        change(schema, r"^create extension if not exists postgis .*$", r"\\ir without_postgis.sql")
        change(schema, r"extensions\.geometry\(\w+, ?4326\)", "extensions.geometry")

    def reset(self):
        self.sql("postgres", f"drop database if exists {DATABASE} with (force)")
        self.sql("postgres", f"create database {DATABASE} template {TEMPLATE}")
        # A template does not hand on the settings of a database.
        self.sql("postgres", f"alter database {DATABASE} set request.jwt.claim.id = '-1'")

    def called(self, answer):
        return answer

    def environment(self, config):
        dsn = f"postgres://{AUTHENTICATOR}@127.0.0.1:{self.port}/{DATABASE}?sslmode=disable"
        return config | {"PGRST_DB_URI": dsn}

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self):
        ready = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready).returncode == 0

    def connection(self, database):
        options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres"]
        return [*map(str, options), "-d", database]

    def sql(self, database, text):
        return self.run("psql", *self.connection(database), "-tA", "-c", text).strip()

    def run(self, name, *arguments, env=None):
        command = [*as_owner(), program(name), *map(str, arguments)]
        environment = os.environ | {"HOME": str(self.folder)} | (env or {})
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
        return done.stdout


def change(path, pattern, replacement):
    path.write_text(re.sub(pattern, replacement, path.read_text(), flags=re.MULTILINE))


def program(name):
    """A program of the newest server that is installed."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    path = found[-1] if found else shutil.which(name)
    if path is None:
        raise RuntimeError("no Postgres server is installed")
    return path


def is_root():
    return os.getuid() == 0


def as_owner():
    """The server refuses to run as root. Linux ends it with this process."""
    command = ["setpriv", "--pdeathsig", "QUIT"]
    return command + ["--reuid=postgres", "--regid=postgres", "--init-groups"] if is_root() else command


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(holds, what):
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} does not answer")
        time.sleep(0.05)
