#!/usr/bin/env bash
# Builds the browser client into web/app/dist, from where the server takes it when it is compiled.
# Does nothing where it is newer than what it is made of. Ends with 1 where Node, npm or a package is
# missing, and says what.
set -euo pipefail
cd "$(dirname "$0")/../web"

built=app/dist/index.html
sources=(app/index.html app/package.json app/public app/src app/vite.config.ts app/vite.worker.ts packages/client/package.json
    packages/client/src package.json package-lock.json)
if [ -e "$built" ] && [ -z "$(find "${sources[@]}" -newer "$built" -print -quit)" ]; then
    exit 0
fi

new_enough='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
if ! node -e "$new_enough" 2> /dev/null || ! command -v npm > /dev/null; then
    echo 'the browser client is not built: it needs Node 20.19 or later with npm: https://nodejs.org' >&2
    exit 1
fi

# Not `npm ci`: it refuses a lock file without the binaries of other platforms.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
    echo 'installing what the browser client is built with' >&2
    npm install --no-save --no-audit --no-fund --loglevel error >&2
    touch "$installed"
fi
echo 'building the browser client' >&2
npm run --silent build --workspace app -- --logLevel error >&2
