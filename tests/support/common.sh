# Sourced by tests/run and .ci/run: speaking, timing, and where cargo builds.
# shellcheck shell=bash

say() { printf '== %s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

is_ci() { [[ ${CI:-} == true || ${CI:-} == 1 ]]; }

# minutes_since START: the time since START (a value of $SECONDS), as "3m07s".
minutes_since() {
  local -i spent=$((SECONDS - $1))
  printf '%dm%02ds' $((spent / 60)) $((spent % 60))
}

# CI starts from a clean checkout every time: a target folder outside of it keeps the compiled dependencies.
choose_target_dir() {
  if is_ci && [[ -z ${CARGO_TARGET_DIR:-} ]]; then
    export CARGO_TARGET_DIR="$HOME/.cache/cogdeck/target"
  fi
}
