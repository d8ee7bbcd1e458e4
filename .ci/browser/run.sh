#!/usr/bin/env bash
# Checks HTML reports in a headless Chromium: run.sh FILE…
# Fetches what it needs when it is missing: chromium (apt), axe-core and playwright-core (npm).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -eq 0 ]; then
  echo "usage: $0 FILE…" >&2
  exit 2
fi

# Runs a command and shows its output only when it fails.
quietly() {
  local output
  if ! output=$("$@" 2>&1); then
    printf '%s\n' "$output" >&2
    echo "failed: $*" >&2
    exit 4
  fi
}

CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
if [ -z "$CHROMIUM" ]; then
  quietly apt-get update
  quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    chromium fonts-dejavu-core
  CHROMIUM=$(command -v chromium)
fi
export CHROMIUM

if ! cmp -s "$here/package-lock.json" "$here/node_modules/.installed-lock"; then
  quietly npm --prefix "$here" ci --ignore-scripts --no-audit --no-fund
  cp "$here/package-lock.json" "$here/node_modules/.installed-lock"
fi

exec node "$here/check.mjs" "$@"
