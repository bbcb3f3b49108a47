# The system packages, and installing those that are missing. Sourced by scripts/run and scripts/test.
# The names are those of Debian 12 and 13 but for one. Ubuntu 24.04 and later use the same ones (untested).

# Boost.Beast is used from 1.81 on, which Debian 12 has under a name of its own.
boost_package=libboost-dev
if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then boost_package=libboost1.81-dev; fi

run_packages=("$boost_package" ca-certificates ccache cmake g++ libcli11-dev libcurl4-openssl-dev libedit-dev libfmt-dev libpcre2-dev libsqlite3-dev libssl-dev
  libutf8proc-dev ninja-build nlohmann-json3-dev pkg-config prometheus-cpp-dev python3 zlib1g-dev)
model_packages=(python3 python3-pip)
test_packages=("${run_packages[@]}" git libgtest-dev)
all_packages=("${test_packages[@]}" clang-19 clang-format-19 iproute2 libclang-rt-19-dev llvm-19)

say() { printf '%s\n' "$*" >&2; }

# need_packages NAME...: installs what is missing of them; without root it prints the line to run.
need_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is neither Debian nor Ubuntu: nothing is installed. Needed are the counterparts of: $*"
    return 0
  fi
  local missing
  missing=$(comm -23 <(printf '%s\n' "$@" | sort -u) <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p' | sort -u) | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "These system packages are missing. Install them, then run this again:"
    say "  sudo apt-get update && sudo apt-get install --no-install-recommends -y ${missing% }"
    exit 1
  fi
  say "Installing system packages: ${missing% }"
  local log
  log=$(mktemp)
  # shellcheck disable=SC2086  # a list of names
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends -y $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    say "apt-get failed, see above; with a working network run this again."
    exit 1
  fi
  rm -f "$log"
}
