# Sourced by tests/run: finds the programs that tests talk to, and installs the missing ones where it may.
# shellcheck shell=bash
#
# A machine of CI, or one where we are root, is ours to prepare. On anybody else's machine nothing is installed:
# what is missing is named together with the command that would bring it, and the tests that need it are skipped.

# program:Debian package
readonly TOOLS=(
  cc:gcc
  curl:curl
  dig:bind9-dnsutils
  dockerd:docker.io
  jq:jq
  kubectl:kubernetes-client
  python3:python3
  tmux:tmux
  valgrind:valgrind
)
readonly STATIC_BUSYBOX=busybox-static

may_install() { is_ci || ((EUID == 0)); }

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# A busybox that runs in an empty container, or nothing.
find_static_busybox() {
  local candidate
  for candidate in /bin/busybox /usr/bin/busybox; do
    if [[ -x $candidate ]] && ! ldd "$candidate" >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

missing_packages() {
  local pair
  for pair in "${TOOLS[@]}"; do
    command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair#*:}"
  done
  find_static_busybox >/dev/null || printf '%s\n' "$STATIC_BUSYBOX"
  # Debian's own Python leaves venv out of its main package; another Python brings it along.
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then printf 'python3-venv\n'; fi
}

# Debian's packages, by name. Recommended packages stay out: they are not needed to run a test.
install_packages() {
  local -a packages
  mapfile -t packages < <(missing_packages)
  ((${#packages[@]})) || return 0
  if ! may_install; then
    skip "${packages[*]}" "not installed, and this is neither CI nor root: sudo apt-get install ${packages[*]}"
    return 0
  fi
  if ! command -v apt-get >/dev/null; then
    skip "${packages[*]}" "not installed, and this system has no apt-get: install them by hand"
    return 0
  fi
  say "installing ${packages[*]}"
  local -a known=()
  local package
  as_root apt-get update -qq >"$WORK/apt.log" 2>&1 || true # offline, the lists that are there may still do
  for package in "${packages[@]}"; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      known+=("$package")
    else
      skip "$package" "this system's package lists do not have it"
    fi
  done
  if ! as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${known[@]}" >>"$WORK/apt.log" 2>&1; then
    tail -n 30 "$WORK/apt.log" >&2
    skip "${known[*]}" "apt-get could not install them (its last words stand above)"
  fi
}

# PyPI's aws and Kubernetes clients, in an environment of their own that outlives the run. Sets AWSCLI and PYTHON (which
# imports `kubernetes`) to their paths, or leaves them empty.
# An environment that was made from another list of versions is made anew.
install_python_clients() {
  local wanted="$ROOT/tests/support/requirements.txt"
  local venv="${XDG_CACHE_HOME:-$HOME/.cache}/cogdeck/tests/venv"
  AWSCLI="" PYTHON=""
  if cmp -s "$wanted" "$venv/requirements.txt" && "$venv/bin/aws" --version >/dev/null 2>&1; then
    AWSCLI="$venv/bin/aws" PYTHON="$venv/bin/python"
  elif ! may_install; then
    AWSCLI="$(command -v aws || true)"
    [[ -n $AWSCLI ]] || skip awscli "not installed, and this is neither CI nor root: pip install awscli"
    if python3 -c 'import kubernetes' 2>/dev/null; then PYTHON=python3; fi
  else
    say "installing awscli and kubernetes from PyPI"
    if rm -rf -- "$venv" && python3 -m venv "$venv" >"$WORK/pip.log" 2>&1 &&
      "$venv/bin/pip" install --quiet --requirement "$wanted" >>"$WORK/pip.log" 2>&1 &&
      cp "$wanted" "$venv/requirements.txt"; then
      AWSCLI="$venv/bin/aws" PYTHON="$venv/bin/python"
    else
      tail -n 30 "$WORK/pip.log" >&2
      skip "awscli kubernetes" "pip could not install them (its last words stand above)"
    fi
  fi
}
