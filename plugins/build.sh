#!/bin/sh
# Builds the built-in plugins again and records in plugins/dist/manifest.json what they were built from.
#   plugins/build.sh            every one the manifest lists
#   plugins/build.sh NAME...    only these
set -eu
cd "$(dirname "$0")/.."
only=
for name in "$@"; do only="$only --only $name"; done
# shellcheck disable=SC2086 # names of crates have no blanks
exec cargo run --quiet -p faxgate -- plugin build --first-party $only .
