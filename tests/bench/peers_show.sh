#!/usr/bin/env bash
# Shows that other consoles see the sandbox as a real cluster: kubetui and kdash, in a tmux of their own, have to show a
# deployment that is made, scaled, given another image and deleted.
#   tests/bench/peers_show.sh [COGDECK] [FOLDER OF THE PEERS]     (target/release/cogdeck, target/peers)
# Not part of ./tests/run: tests/bench/peers.sh has to build them first.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
TARGET=${CARGO_TARGET_DIR:-target}
COGDECK=$(realpath -- "${1:-$TARGET/release/cogdeck}")
PEERS=$(realpath -- "${2:-$TARGET/peers}")
WORK=$(mktemp -d)
SOCKET=cogdeck-peers-$$
SANDBOX=""
readonly TARGET COGDECK PEERS WORK SOCKET

cleanup() {
  tmux -L "$SOCKET" kill-server 2>/dev/null || true
  [[ -z $SANDBOX ]] || { kill -INT "$SANDBOX" && wait "$SANDBOX"; } 2>/dev/null || true
  rm -rf -- "$WORK"
}
trap cleanup EXIT

screen() { tmux -L "$SOCKET" capture-pane -p -t "$1"; }

# shows PEER PATTERN: waits until the peer's screen matches; without: with ! before the pattern, until it does not.
shows() {
  local peer=$1 pattern=$2 seen
  for _ in $(seq 100); do
    seen=$(screen "$peer")
    if [[ $pattern == '!'* ]]; then
      grep -Eq -- "${pattern#!}" <<<"$seen" || return 0
    elif grep -Eq -- "$pattern" <<<"$seen"; then
      return 0
    fi
    sleep 0.2
  done
  printf '%s does not show %s:\n%s\n' "$peer" "$pattern" "$seen" >&2
  return 1
}

run() { "$COGDECK" run --yes "$1" >/dev/null 2>&1; }

"$COGDECK" sandbox --speed 5 --kubeconfig "$WORK/kubeconfig" --env "$WORK/env" >"$WORK/out" &
SANDBOX=$!
until grep -q ready "$WORK/out"; do sleep 0.1; done
# shellcheck source=/dev/null
source "$WORK/env"
run 'kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80'
for peer in kubetui kdash; do
  tmux -L "$SOCKET" new-session -d -s "$peer" -x 120 -y 40 "env HOME='$WORK' KUBECONFIG='$WORK/kubeconfig' '$PEERS/bin/$peer'"
done

shows kubetui 'inspector-[a-z0-9]+-[a-z0-9]+ +1/1 +Running'
tmux -L "$SOCKET" send-keys -t kubetui Enter
shows kubetui 'Starting inspector'
shows kdash 'inspector-[a-z0-9]+-[a-z0-9]+ +1/1 +Running'
tmux -L "$SOCKET" send-keys -t kdash 7
shows kdash 'inspector +1/1 +1 +1'
run 'kubectl:scale deploy inspector --replicas=3'
run 'kubectl:rollout status deploy/inspector'
shows kdash 'inspector +3/3 +3 +3'
shows kubetui 'Pod \[[0-9]/3\]'
OLD=$(screen kubetui | grep -oE 'inspector-[a-z0-9]+' | head -n 1)
run 'kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0'
run 'kubectl:rollout status deploy/inspector'
shows kubetui "!$OLD-[a-z0-9]+ +[01]/1"
shows kubetui 'Pod \[[0-9]/3\]'
shows kdash 'inspector +3/3 +3 +3'
run 'kubectl:delete deploy inspector'
shows kdash '!inspector +[0-9]'
shows kubetui '!inspector-[a-z0-9]+-[a-z0-9]+ +1/1'
echo "kubetui and kdash showed the life of a deployment"
