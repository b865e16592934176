#!/usr/bin/env bash
# Asks a debug server of its own whatever its OpenAPI document allows, and what it does not, and
# compares the answers with the document. EXAMPLES for each operation (default 10) and SEED (default
# 1) choose what is asked; further arguments go to schemathesis. Needs Python 3.10 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=$PWD/tests/schemathesis.txt
version=$(sed -n 's/^schemathesis==//p' "$pins")
tools=$PWD/target/tools/schemathesis-$version
if ! python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then
    echo 'openapi: SKIPPED: it needs Python 3.10 with venv' >&2
    exit 0
fi
if [ ! -e "$tools/installed" ]; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins"
    touch "$tools/installed"
fi

cargo build --quiet --package boardcast
boardcast=$PWD/target/debug/boardcast
dir=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2> /dev/null || true
    wait
    rm -rf "$dir"
}
trap cleanup EXIT

"$boardcast" serve --listen 127.0.0.1:0 --data-dir "$dir/data" 2> "$dir/log" &
server=$!
url=
for _ in $(seq 300); do
    url=$(sed -n 's/^listening on //p' "$dir/log")
    [ -z "$url" ] || break
    kill -0 "$server" || { cat "$dir/log" >&2; exit 1; }
    sleep 0.1
done
token=$("$boardcast" token --data-dir "$dir/data" --user root --role admin --ttl 1h)

# A stream has no end, and a restore ends the server: tests of Rust ask them.
# What it remembers stays in the folder of the run.
export SCHEMATHESIS_HOOKS=$PWD/tests/schemathesis_hooks.py
config=$PWD/tests/schemathesis.toml
cd "$dir"
"$tools/bin/schemathesis" --config-file "$config" run "$url/api/openapi.json" \
    --header "Authorization: Bearer $token" \
    --checks all --seed "${SEED:-1}" --max-examples "${EXAMPLES:-10}" \
    --exclude-operation-id stream-events --exclude-operation-id restore \
    --request-timeout 10 --no-color "$@" | tee "$dir/told"
asked=$(sed -n 's/^ *\([0-9,]*\) generated.*/\1/p' "$dir/told" | tail -n 1)
echo "openapi: ${asked:-no} examples were asked"
kill -0 "$server" || { cat "$dir/log" >&2; exit 1; }
if grep -n 'panicked' "$dir/log"; then exit 1; fi
