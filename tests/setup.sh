#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: a Postgres server and a pooler, strace (system calls that fail),
# podman (for the container's test), Chromium (for the console's), Python with the validator of OpenAPI documents, and the
# client libraries of tests/clients (npm and PyPI). Does nothing where it is all there.
set -euo pipefail
cd "$(dirname "$0")/.."

postgres_is_here() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
browser_is_here() { command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null; }
packages=()
postgres_is_here || packages+=(postgresql)
[ -x /usr/sbin/pgbouncer ] || command -v pgbouncer >/dev/null || packages+=(pgbouncer)
command -v cc >/dev/null || packages+=(build-essential)
command -v curl >/dev/null || packages+=(curl)
command -v strace >/dev/null || packages+=(strace)
python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
command -v podman >/dev/null || packages+=(podman runc)
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
may_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; }
if [ ${#packages[@]} -gt 0 ] || ! browser_is_here; then
  if may_install; then
    "${as_root[@]}" apt-get update -qq
    [ ${#packages[@]} = 0 ] || install "${packages[@]}"
    # Not every distribution gives it by apt: the test says then that it was skipped.
    browser_is_here || install chromium || echo "skipped: the console's test needs Chromium, which apt does not give here"
  else
    browser_is_here || packages+=(chromium)
    echo "not installed (needs apt-get and root): ${packages[*]}; tests that need them will say that they were skipped"
  fi
fi

# Validators, pinned; tests that call them look for this environment.
venv=target/python
if [ ! -x "$venv/bin/python" ] && command -v python3 >/dev/null; then
  python3 -m venv "$venv"
fi
if [ -x "$venv/bin/python" ] && ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
  "$venv/bin/python" -m pip install --quiet -r tests/requirements.txt && cp tests/requirements.txt "$venv/requirements.txt"
fi

# The client libraries, locked. Where one cannot be had, its tests say so; the others still run.
clients=tests/clients
if [ -x "$venv/bin/python" ] && ! cmp -s "$clients/requirements.txt" "$venv/clients.txt"; then
  if "$venv/bin/python" -m pip install --quiet --require-hashes -r "$clients/requirements.txt"; then
    cp "$clients/requirements.txt" "$venv/clients.txt"
  else
    echo "skipped: postgrest-py cannot be installed here (above says why)"
  fi
fi
if ! command -v npm >/dev/null; then
  echo "skipped: supabase-js and ra-data-postgrest need node and npm"
elif ! cmp -s "$clients/package-lock.json" "$clients/node_modules/installed.json"; then
  if (cd "$clients" && npm ci --silent --ignore-scripts); then
    cp "$clients/package-lock.json" "$clients/node_modules/installed.json"
  else
    echo "skipped: supabase-js and ra-data-postgrest cannot be installed here (npm ci in $clients says why)"
  fi
fi
