#!/bin/sh
# Builds the policy with clang and tries numbers with it: ./test.sh [path of faxgate]
set -eu
faxgate=${1:-faxgate}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$faxgate" plugin build "$here" --slot number-normalizer --out "$work/country-fence.wasm"

cat >"$work/faxgate.toml" <<'TOML'
[plugins."country-fence".settings]
allow = "+1 212, +1 (646), +44"
TOML

expect() { # what to dial, what has to be in the answer
  printf '%s\n' "$1" >"$work/number.txt"
  answer=$("$faxgate" plugin run --config "$work/faxgate.toml" "$work/country-fence.wasm" "$work/number.txt" 2>&1) || true
  case $answer in
    *"$2"*) echo "ok: $1: $2" ;;
    *)
      printf 'country-fence: for %s this was expected: %s\nbut it said:\n%s\n' "$1" "$2" "$answer" >&2
      exit 1
      ;;
  esac
}

"$faxgate" plugin check --config "$work/faxgate.toml" "$work/country-fence.wasm"
expect '+1 (212) 555-0142' 'number  +12125550142'
expect '011 44 20 7946 0018' 'number  +442079460018'
expect '00 1 646 555 0142' 'number  +16465550142'
expect '+1 900 555 0100' 'may not be faxed from here'
expect '+4' 'may not be faxed from here'
expect '212 555 0142' 'Write the number in full'
expect '+1 212 555 0142 x7' 'Write the number in full'
expect '' 'Write the number in full'

printf '[plugins."country-fence".settings]\nallow = "212"\n' >"$work/faxgate.toml"
if answer=$("$faxgate" plugin check --config "$work/faxgate.toml" "$work/country-fence.wasm" 2>&1); then
  echo "country-fence: a bad setting was taken" >&2
  exit 1
fi
case $answer in
  *'`allow` has to list prefixes'*) echo "ok: a bad setting is refused" ;;
  *) echo "country-fence: $answer" >&2 && exit 1 ;;
esac
