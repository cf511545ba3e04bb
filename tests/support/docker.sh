# Sourced by tests/run: a Docker engine of our own, on a socket and in folders that nobody else uses.
# shellcheck shell=bash
#
# It never touches an engine that is already there: own containerd, own data, own sockets, no bridge, no firewall
# rules. Containers therefore have no network but loopback, which is also what tests should rely on.

DOCKERD_PID=""
CONTAINERD_PID=""

# A process group of its own: a Ctrl-C in the terminal reaches us, and we stop the engine in order.
in_background() {
  local log=$1
  shift
  set -m
  "$@" >>"$log" 2>&1 </dev/null &
  set +m
}

docker_api() {
  local method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 60 --noproxy '*' --unix-socket "$DOCKER_DIR/docker.sock" \
    --request "$method" "http://docker$path" "$@"
}

# wait_until SECONDS PID COMMAND…: until the command succeeds; fails when the process dies or the time is over.
wait_until() {
  local -i tries=$(($1 * 10))
  local pid=$2
  shift 2
  while ((tries-- > 0)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

start_containerd() {
  mkdir -p "$DOCKER_DIR/containerd"
  cat >"$DOCKER_DIR/containerd/config.toml" <<EOF
version = 2
root = "$DOCKER_DIR/containerd/root"
state = "$DOCKER_DIR/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$DOCKER_DIR/containerd.sock"
EOF
  in_background "$DOCKER_DIR/containerd.log" containerd --config "$DOCKER_DIR/containerd/config.toml"
  CONTAINERD_PID=$!
  wait_until 20 "$CONTAINERD_PID" test -S "$DOCKER_DIR/containerd.sock"
}

# start_dockerd DRIVER
start_dockerd() {
  printf '{}\n' >"$DOCKER_DIR/daemon.json" # else the machine's own /etc/docker/daemon.json would be read
  in_background "$DOCKER_DIR/dockerd.log" dockerd --config-file "$DOCKER_DIR/daemon.json" \
    --containerd "$DOCKER_DIR/containerd.sock" --host "unix://$DOCKER_DIR/docker.sock" \
    --data-root "$DOCKER_DIR/data" --exec-root "$DOCKER_DIR/exec" --pidfile "$DOCKER_DIR/dockerd.pid" \
    --bridge none --iptables=false --ip-forward=false --ip-masq=false --storage-driver "$1"
  DOCKERD_PID=$!
  wait_until 30 "$DOCKERD_PID" docker_api GET /_ping
}

stop_pid() {
  [[ -n $1 ]] || return 0
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# An engine that answers is not yet one that can run a container (cgroups, mounts, namespaces): run one and read it.
prove_engine() {
  local busybox=$1 image="$DOCKER_DIR/image" id status
  mkdir -p "$image/bin"
  cp "$busybox" "$image/bin/busybox"
  tar -C "$image" -cf "$DOCKER_DIR/image.tar" .
  docker_api POST '/images/create?fromSrc=-&repo=cogdeck-tests/busybox&tag=1' --header 'Content-Type: application/x-tar' \
    --data-binary "@$DOCKER_DIR/image.tar" || return 1
  id=$(docker_api POST '/containers/create' --header 'Content-Type: application/json' --data \
    '{"Image":"cogdeck-tests/busybox:1","Cmd":["/bin/busybox","sh","-c","exit 42"],"HostConfig":{"NetworkMode":"none"}}' |
    sed -n 's/.*"Id":"\([0-9a-f]*\)".*/\1/p')
  [[ -n $id ]] || return 1
  docker_api POST "/containers/$id/start" || return 1
  status=$(docker_api POST "/containers/$id/wait")
  docker_api DELETE "/containers/$id?force=true" || true
  [[ $status == *'"StatusCode":42'* ]]
}

# Sets DOCKER_URL when an engine runs and has proved itself; otherwise says why not.
start_docker() {
  DOCKER_URL=""
  DOCKER_DIR="$WORK/docker"
  local driver busybox program
  for program in dockerd containerd runc curl; do
    command -v "$program" >/dev/null || { skip docker "no $program on this machine"; return 0; }
  done
  if ((EUID != 0)); then
    skip docker "an engine of our own needs root; or name one that tests may use: COGDECK_TEST_DOCKER_HOST=unix:///…"
    return 0
  fi
  busybox=$(find_static_busybox) || { skip docker "no static busybox to build an image from"; return 0; }
  mkdir -p "$DOCKER_DIR"
  if ! start_containerd; then
    tail -n 10 "$DOCKER_DIR/containerd.log" >&2
    skip docker "containerd did not start (its last words stand above)"
    return 0
  fi
  for driver in overlay2 vfs; do # vfs copies whole layers, but works on every file system
    if start_dockerd "$driver" && prove_engine "$busybox" >"$DOCKER_DIR/proof.log" 2>&1; then
      DOCKER_URL="unix://$DOCKER_DIR/docker.sock"
      say "docker engine of our own: $driver, $DOCKER_URL"
      return 0
    fi
    stop_pid "$DOCKERD_PID"
    DOCKERD_PID=""
  done
  tail -n 10 "$DOCKER_DIR/dockerd.log" >&2
  [[ ! -f $DOCKER_DIR/proof.log ]] || tail -n 5 "$DOCKER_DIR/proof.log" >&2
  skip docker "the engine could not run a container (its last words stand above)"
}

# Containers that a failed test left behind first, so that the engine need not wait for them to answer.
stop_docker() {
  local id
  if [[ -n $DOCKERD_PID ]]; then
    for id in $(docker_api GET '/containers/json?all=true' 2>/dev/null | grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4); do
      docker_api DELETE "/containers/$id?force=true" >/dev/null 2>&1 || true
    done
  fi
  stop_pid "$DOCKERD_PID"
  stop_pid "$CONTAINERD_PID"
  DOCKERD_PID="" CONTAINERD_PID=""
  # The engine leaves the mount of its default network namespace behind.
  local mounted
  while read -r _ mounted _; do
    [[ $mounted != "$WORK"/* ]] || umount "$mounted" || true
  done </proc/self/mounts
}
