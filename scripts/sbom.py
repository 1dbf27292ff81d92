"""Writes what the binary is made of as CycloneDX 1.6 (JSON): every crate that is linked for a target, and SQLite.

usage: scripts/sbom.py [TARGET]      reads `cargo metadata` and Cargo.lock; needs Python 3.11 and nothing else

The same sources give the same document: it has no random number, and its time is SOURCE_DATE_EPOCH, if that is set.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def metadata(target):
    """What cargo says, without crates that only tests or other targets need."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def linked(resolve):
    """Ids of the crates that are linked or help to build, each with those that it needs."""
    nodes = {node["id"]: node for node in resolve["nodes"]}
    needed, waiting = {}, [resolve["root"]]
    while waiting:
        node = nodes[waiting.pop()]
        if node["id"] in needed:
            continue
        wanted = lambda dependency: any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
        needed[node["id"]] = sorted(dependency["pkg"] for dependency in node["deps"] if wanted(dependency))
        waiting.extend(needed[node["id"]])
    return needed


def checksums():
    """SHA-256 by name and version, as Cargo.lock has them."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    return {(crate["name"], crate["version"]): crate.get("checksum") for crate in lock["package"]}


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, sums):
    told = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package.get("license"):
        told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if sums.get((package["name"], package["version"])):
        told["hashes"] = [{"alg": "SHA-256", "content": sums[package["name"], package["version"]]}]
    return told


def sqlite(packages):
    """The library that `libsqlite3-sys` brings along and compiles in."""
    [crate] = [package for package in packages if package["name"] == "libsqlite3-sys"]
    header = pathlib.Path(crate["manifest_path"]).parent / "sqlite3" / "sqlite3.h"
    version = re.search(r'#define SQLITE_VERSION\s+"([\d.]+)"', header.read_text()).group(1)
    return {
        "type": "library",
        "bom-ref": f"pkg:generic/sqlite@{version}",
        "name": "sqlite",
        "version": version,
        "purl": f"pkg:generic/sqlite@{version}",
        "cpe": f"cpe:2.3:a:sqlite:sqlite:{version}:*:*:*:*:*:*:*",
        "licenses": [{"license": {"name": "Public Domain"}}],
    }


def document(target):
    told = metadata(target)
    needed = linked(told["resolve"])
    packages = {package["id"]: package for package in told["packages"] if package["id"] in needed}
    root = packages.pop(told["resolve"]["root"])
    sums, bundled = checksums(), sqlite(packages.values())
    components = [component(package, sums) for package in packages.values()] + [bundled]
    graph = {purl(root if key == root["id"] else packages[key]): needed[key] for key in needed}
    dependencies = []
    for ref, ids in sorted(graph.items()):
        on = sorted(purl(packages[key]) for key in ids)
        if ref.startswith("pkg:cargo/libsqlite3-sys@"):
            on.append(bundled["bom-ref"])
        dependencies.append({"ref": ref, "dependsOn": on})
    dependencies.append({"ref": bundled["bom-ref"], "dependsOn": []})
    about = {"component": {**component(root, sums), "type": "application"}}
    if os.environ.get("SOURCE_DATE_EPOCH"):
        moment = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
        about["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": about,
        "components": sorted(components, key=lambda it: it["bom-ref"]),
        "dependencies": dependencies,
    }


def host():
    version = subprocess.run(["rustc", "-vV"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"^host: (.+)$", version, re.M).group(1)


json.dump(document(sys.argv[1] if len(sys.argv) > 1 else host()), sys.stdout, indent=2)
print()
