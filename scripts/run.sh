#!/usr/bin/env bash
# Builds Boardcast and starts it on http://127.0.0.1:8080 with its data in ./boardcast-data.
# LISTEN and DATA choose another address and folder, PROFILE another build; CLIENT=keep takes the
# browser client as it is. Ctrl-C stops it cleanly.
set -euo pipefail
cd "$(dirname "$0")/.."

listen=${LISTEN:-127.0.0.1:8080}
data=${DATA:-./boardcast-data}
profile=${PROFILE:-release}
programs=target/$([ "$profile" = dev ] && echo debug || echo "$profile")
boardcast=$programs/boardcast

if [ "${CLIENT:-build}" != keep ] && ! scripts/build-client.sh; then
    if [ -e web/app/dist/index.html ]; then
        echo 'going on with the browser client of an earlier build' >&2
    else
        echo 'going on without: a small page shows boards live and changes nothing' >&2
    fi
fi
cargo build --profile "$profile" --bin boardcast --bin boardcast-sim

if [ ! -e "$data/boardcast.db" ]; then
    echo 'first start: importing the sample board' >&2
    "$boardcast" import json server/assets/sample-board.json --data-dir "$data" > /dev/null
fi

"$boardcast" serve --listen "$listen" --data-dir "$data" &
server=$!
stop() { kill -TERM "$server" 2> /dev/null || true; }
trap stop INT TERM

# One line for each state: still starting, ready, or gone.
until link=$("$boardcast" link --server "http://$listen" --data-dir "$data" --user admin --role admin 2> /dev/null); do
    kill -0 "$server" 2> /dev/null || { wait "$server"; exit $?; }
    sleep 0.2
done

cat << TEXT

  Open the board, signed in as admin (the link works once, for 30 seconds):
    $link
  Another link:
    make link
  Fifty simulated clients at twenty commands a second:
    $boardcast token --data-dir $data --user sim --count 50 > sim-tokens.txt
    $programs/boardcast-sim run --server http://$listen --token-file sim-tokens.txt --clients 50 --boards 1 --rate 20 --duration 20s
  A token for a program of your own:
    $boardcast token --data-dir $data --user me --ttl 7d
  Ctrl-C stops the server; everything is kept in $data.

TEXT

# The first wait ends when a signal comes, the second when the server has stopped.
wait "$server" || true
wait "$server" 2> /dev/null || true
