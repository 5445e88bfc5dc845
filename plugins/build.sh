#!/bin/sh
# Builds the built-in plugins again and records in plugins/dist/manifest.json what they were built from.
set -eu
cd "$(dirname "$0")/.."
exec cargo run --quiet -p faxgate -- plugin build --first-party . "$@"
