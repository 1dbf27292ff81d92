"""A SQLite file with what SQLite can hold of PostgREST's fixtures, taken in by berth's own migrations.

The fixtures are loaded into Postgres and dumped from there; what a migration refuses is left out, and told. SQLite has
one schema, `public`: the schema `test` of the fixtures becomes that one, and in errors it is called `test` again.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile

from library.values import Response
from stores.postgres import DATABASE, Postgres

SCHEMA = "test"
# What is in these is in the one schema as well.
SCHEMAS = (SCHEMA, "public", "private")
# What begins an entry of a dump.
ENTRY = re.compile(r"^--\n-- (?:Data for )?Name: (.*?); Type: (.*?); Schema: .*\n--\n\n", re.MULTILINE)
# What a migration says: the line of the statement, where it knows it, and why.
REFUSAL = re.compile(r'^berth: "[\d-]+\.sql"(?:, line (\d+))?: (.*)', re.MULTILINE | re.DOTALL)
# Kinds of entries that are run after the others, in this order.
LATER = (
    ("CONSTRAINT",),
    ("SEQUENCE", "SEQUENCE OWNED BY", "DEFAULT"),
    ("TABLE DATA",),
    ("SEQUENCE SET",),
    ("INDEX", "TRIGGER", "RULE", "FK CONSTRAINT", "ROW SECURITY", "POLICY", "ACL", "DEFAULT ACL"),
)
# A file has this many entries: one that is refused is left out and the file is tried again.
ENTRIES_PER_FILE = 40


class Sqlite:
    """The file; `fixtures` is the directory of the fixtures' SQL, `berth` the program that migrates."""

    def __init__(self, fixtures, berth):
        self.origin = Postgres(fixtures)
        self.berth = berth
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="berth-conformance-"))
        self.lacks = set()
        self.refused = {}
        self.version = None

    def start(self):
        try:
            self.origin.start()
            self.version = self.origin.version
            entries = self.entries()
        finally:
            self.origin.stop()
        self.take_in(entries)

    def entries(self):
        """Kinds, names and SQL, in the order in which they must be run."""
        roles = self.origin.sql(
            DATABASE,
            "select 'create role \"' || rolname || '\";' from pg_roles where rolname like 'postgrest%' order by 1",
        )
        members = self.origin.sql(
            DATABASE,
            "select format('grant %I to %I;', r.rolname, m.rolname) from pg_auth_members a"
            " join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member where m.rolname like 'postgrest%'",
        )
        usage = self.origin.sql(
            DATABASE,
            f"select 'grant usage on schema public to \"' || rolname || '\";' from pg_roles"
            f" where rolname like 'postgrest%' and has_schema_privilege(rolname, '{SCHEMA}', 'usage')",
        )
        options = ["-h", "127.0.0.1", "-p", self.origin.port, "-U", "postgres", "-d", DATABASE]
        options += [*(f"--schema={name}" for name in SCHEMAS), "--no-owner", "--column-inserts", "--rows-per-insert=100"]
        dump = self.origin.run("pg_dump", *options)
        parts = ENTRY.split(dump)[1:]
        found = [("ROLES", "roles", f"{roles}\n{members}\n{usage}")]
        for name, kind, text in zip(parts[0::3], parts[1::3], parts[2::3]):
            if kind != "SCHEMA" and not (kind == "ACL" and name.startswith("SCHEMA")):
                found.append((kind, f"{kind} {name}", unqualified(text)))
        # SQLite counts primary keys only, so that they come before what is counted.
        found.sort(key=lambda entry: next((rank for rank, kinds in enumerate(LATER) if entry[0] in kinds), -1))
        return found

    def take_in(self, entries):
        (self.folder / "migrations").mkdir()
        (self.folder / "template").mkdir()
        for start in range(0, len(entries), ENTRIES_PER_FILE):
            self.take_in_some(f"{start:04}", entries[start : start + ENTRIES_PER_FILE])

    def take_in_some(self, name, entries):
        """Applies the entries as one script, without those that are refused."""
        script = self.folder / "migrations" / f"{name}.sql"
        while entries:
            script.write_text("".join(text for _, _, text in entries))
            done = self.run_berth(
                ["migrate"], {"VOLUME": str(self.folder / "template"), "MIGRATIONS": str(script.parent)}
            )
            if done.returncode == 0:
                return
            script.unlink()
            refusal = REFUSAL.search(done.stderr)
            if not refusal:
                raise RuntimeError(f"berth migrate: {done.stderr}")
            line = refusal.group(1)
            if line is None and len(entries) > 1:
                # It does not say which: each on its own.
                for index, entry in enumerate(entries):
                    self.take_in_some(f"{name}-{index:02}", [entry])
                return
            index = 0 if line is None else index_of(entries, int(line))
            self.refused[entries[index][1]] = refusal.group(2).strip()
            entries = [*entries[:index], *entries[index + 1 :]]

    def run_berth(self, arguments, environment):
        variables = {"LOG_FORMAT": "text", "TMPDIR": str(self.folder)} | environment
        return subprocess.run([self.berth, *arguments], env=variables, cwd=self.folder, capture_output=True, text=True)

    def reset(self):
        shutil.rmtree(self.folder / "volume", ignore_errors=True)
        shutil.copytree(self.folder / "template", self.folder / "volume")

    def called(self, answer):
        if answer.status < 300:
            return answer
        body = re.sub(rb"\bpublic\b(?=\.|')", SCHEMA.encode(), answer.body)
        longer = len(body) - len(answer.body)
        return Response(answer.status, [(name, lengthened(name, value, longer)) for name, value in answer.headers], body)

    def environment(self, config):
        own = {"VOLUME": str(self.folder / "volume"), "MIGRATIONS": str(self.folder / "none")}
        left_out = ("PGRST_DB_SCHEMAS", "PGRST_DB_EXTRA_SEARCH_PATH", "PGRST_DB_PRE_CONFIG")
        return {name: value for name, value in config.items() if name not in left_out} | own

    def stop(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def lengthened(name, value, longer):
    return str(int(value) + longer) if name == "Content-Length" and value.isdigit() else value


def index_of(entries, line):
    """The entry that has a line of all of them."""
    last = 0
    for index, (_, _, text) in enumerate(entries):
        last += text.count("\n")
        if line <= last:
            return index
    return len(entries) - 1


def unqualified(text):
    return re.sub(rf'\b(?:{"|".join(SCHEMAS)})\.(?=["\w])', "", text)
