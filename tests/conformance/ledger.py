"""The tests that are known to fail, each with its reason, and what the documentation says of them.

A ledger is TOML:

    [[known]]
    reason = "why"
    lacks = "postgis"                     # optional: only where this is missing
    postgres_only = true                  # optional: what the tests are about is Postgres' own; they count for nothing
    tests = ["Query/SomeSpec.hs:19"]      # file and line of the test, `#2` for the second one of a line
"""

import re
import tomllib
from dataclasses import dataclass

BEGIN, END = "<!-- conformance: {store} -->", "<!-- end -->"
GROUPS = {
    "`Query/*`": lambda file: file.startswith("Query/"),
    "`OpenApi/*`": lambda file: file.startswith("OpenApi/"),
    "`Auth/*`": lambda file: file.startswith("Auth/"),
    "`Cors`, `Options`": lambda file: file in ("CorsSpec.hs", "OptionsSpec.hs"),
    "others": lambda file: True,
}
ROW = re.compile(r"^\| (\S.*?) \| ([\d,]+) \| [\d,]+ \|", re.MULTILINE)


@dataclass(frozen=True)
class Known:
    """Tests that fail for one reason."""

    reason: str
    tests: tuple
    lacks: str = ""
    postgres_only: bool = False


def read(path):
    entries = tomllib.loads(path.read_text())["known"]
    return [
        Known(entry["reason"], tuple(entry["tests"]), entry.get("lacks", ""), entry.get("postgres_only", False))
        for entry in entries
    ]


def expected(known, lacks):
    """Reasons by test, of those that fail on a machine that lacks this."""
    applies = [entry for entry in known if not entry.lacks or entry.lacks in lacks]
    return {test: entry.reason for entry in applies for test in entry.tests}


def group_of(key):
    file = key.split(":")[0]
    return next(name for name, holds in GROUPS.items() if holds(file))


def totals_of(tests):
    totals = dict.fromkeys(GROUPS, 0)
    for key in tests:
        totals[group_of(key)] += 1
    return totals


class Document:
    """The part of a page between two marks: figures of a store, and its ledger."""

    def __init__(self, path, store):
        self.path = path
        self.text = path.read_text()
        begin = BEGIN.format(store=store)
        self.start = self.text.index(begin) + len(begin)
        self.end = self.text.index(END, self.start)

    @property
    def part(self):
        return self.text[self.start : self.end]

    def totals(self):
        """Numbers of tests by group, as they stand there."""
        found = {name: int(number.replace(",", "")) for name, number in ROW.findall(self.part)}
        return {name: found.get(name, 0) for name in GROUPS}

    def write(self, part):
        self.path.write_text(self.text[: self.start] + part + self.text[self.end :])


def render(totals, known):
    """The part. A test that fails only where something is missing is listed, and counts as passing. The share is of the
    tests that are not about something of Postgres' own."""
    failing = totals_of(test for entry in known if not entry.lacks for test in entry.tests)
    others = totals_of(test for entry in known if entry.postgres_only for test in entry.tests)
    has_others = any(others.values())
    more = [" Postgres' own |", "---|"] if has_others else ["", ""]
    lines = ["", f"| specification | tests | pass |{more[0]} |", f"|---|---|---|{more[1]}---|"]
    groups = [(name, total, failing[name], others[name]) for name, total in totals.items()]
    if has_others:
        groups.append(("**all**", *(sum(column) for column in list(zip(*groups))[1:])))
    for name, total, failed, other in groups:
        own = f" {other:,} |" if has_others else ""
        lines.append(f"| {name} | {total:,} | {total - failed:,} |{own} {share(total - failed, total - other)} |")
    if known:
        lines += ["", "| not passed | why |", "|---|---|"]
    for entry in known:
        lines.append(f"| {tests_by_file(entry.tests)} | {entry.reason} |")
    return "\n".join(lines) + "\n"


def share(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else ""


def tests_by_file(tests):
    """`File` 1, 2 · `Other` 3."""
    lines = {}
    for test in tests:
        file, line = test.split(":")
        lines.setdefault(file.removesuffix(".hs"), []).append(line)
    return " · ".join(f"`{file}` {', '.join(found)}" for file, found in lines.items())
