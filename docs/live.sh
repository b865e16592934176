#!/bin/sh
set -eu
api="$URL/api/v1/boards"
ask() { curl -sSfN -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; }
board=$(ask "$api" -d '{"title":"From a shell"}' | sed 's/.*"board":"\([^"]*\)".*/\1/')
ask "$api/$board/columns" -d '{"id":"todo","title":"To do"}' > /dev/null
for n in 1 2 3; do ask "$api/$board/cards" -d "{\"column\":\"todo\",\"title\":\"Card $n\"}" > /dev/null; done
ask "$api/$board/events"
