#!/usr/bin/env bash
# Builds the consoles that `cargo bench --bench large_cluster` measures beside ours, from the package registry:
#   tests/bench/peers.sh [FOLDER]      (target/peers by default)
# Not part of ./tests/run: it takes a good while and compares nothing by itself.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
readonly FOLDER=${1:-${CARGO_TARGET_DIR:-target}/peers}

for peer in kubetui kdash; do
  nice -n 19 cargo install --locked --root "$FOLDER" "$peer"
done
printf 'export COGDECK_BENCH_KUBETUI=%q COGDECK_BENCH_KDASH=%q\n' "$FOLDER/bin/kubetui" "$FOLDER/bin/kdash"
