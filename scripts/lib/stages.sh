# The stages of scripts/test. Sourced by it; each runs in a process of its own, from the project's root.
# Each appends "stage passed failed" to $HADAL_COUNTS.

# The sanitizers run where outside bytes are read and where threads meet.
asan_tests='base|formats|spec|text|cache|sched|sample|golden'
tsan_tests='base|sched|engine'
fuzz_seconds=20
build_options=(-k 0)  # all that does not compile, not the first alone
: "${HADAL_COUNTS:=/dev/null}"

count() { echo "$*" >>"$HADAL_COUNTS"; }

# run_tests STAGE FOLDER OPTION...: runs ctest, counts what it says.
run_tests() {
  local stage=$1 folder=$2 log status=0
  shift 2
  log=$(mktemp)
  ctest --test-dir "$folder" --output-on-failure --no-tests=error -j "$(nproc)" "$@" 2>&1 | tee "$log" || status=$?
  awk -v stage="$stage" -v counts="$HADAL_COUNTS" '/tests passed, .* tests? failed out of/ {
    match($0, /[0-9]+ tests? failed/); bad = substr($0, RSTART) + 0; print stage, $NF - bad, bad >> counts }' "$log"
  rm -f "$log"
  return "$status"
}

# Names of the targets REGEX_test that a build folder has (rooms come and go).
test_targets() { ninja -C "$1" -t targets all | grep -oE "^($2)_test(: phony)" | cut -d: -f1; }

stage_checks() {
  local bad=0 name
  for name in tools/check tests/checks_test.py; do
    if "$name"; then count checks 1 0; else count checks 0 1; bad=1; fi
  done
  return "$bad"
}

stage_release() {
  configure build/release -DCMAKE_BUILD_TYPE=Release -DHADAL_TESTS=ON
  build build/release all
  run_tests release build/release -L '^(unit|golden|determinism)$'
}

stage_asan() {
  configure build/asan-ubsan --preset asan-ubsan
  build build/asan-ubsan $(test_targets build/asan-ubsan "$asan_tests")
  run_tests asan build/asan-ubsan -R "^($asan_tests)_test\$"
}

stage_fuzz() {
  local bad=0
  tools/fuzz "$fuzz_seconds" || bad=1
  count fuzz $((1 - bad)) "$bad"
  return "$bad"
}

stage_tsan() {
  configure build/tsan --preset tsan
  build build/tsan $(test_targets build/tsan "$tsan_tests")
  run_tests tsan build/tsan -R "^($tsan_tests)_test\$"
}

# A program outside of this project finds, links and runs the installed library.
stage_consumer() {
  rm -rf build/install build/consumer
  cmake --install build/release --prefix build/install >/dev/null
  cmake -S tests/consumer -B build/consumer -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$root/build/install" >/dev/null
  cmake --build build/consumer
  build/consumer/consumer
  local model=${HADAL_SHARED_DIR:-../shared}/golden/models/llama_a
  [ ! -e "$model" ] || build/consumer/consumer "$model"
  count consumer 1 0
}

# The page: web/dist is what its sources give, and the browser tests. Where Node or a browser is
# missing it says so; the checked-in files are then taken as they are.
stage_web() {
  local version
  version=$(node --version 2>/dev/null | sed 's/^v//')
  if [ -z "$version" ] || ! command -v npm >/dev/null || ! printf '20.19.0\n%s\n' "$version" | sort -V -C; then
    say "web: skipped, Node 20.19 or later with npm is not here (found: ${version:-none})"
    return
  fi
  if ! command -v chromium >/dev/null && [ -z "${CHROMIUM:-}" ]; then
    [ "$(id -u)" != 0 ] || need_packages chromium
    command -v chromium >/dev/null || { say "web: skipped, there is no Chromium (Debian's package chromium)"; return; }
  fi
  local bad=0
  if web/build --compare; then count web 1 0; else count web 0 1; bad=1; fi
  local log
  log=$(mktemp)
  web/test >"$log" 2>&1 || bad=1
  cat "$log"
  awk -v counts="$HADAL_COUNTS" '$2 == "pass" { pass = $3 } $2 == "fail" { fail = $3 } $2 == "cancelled" { fail += $3 }
    END { print "web", pass + 0, fail + 0 >> counts }' "$log"
  rm -f "$log"
  return "$bad"
}

# The official clients against a server of our own. Where they cannot be had it says so.
stage_clients() {
  local log status=0
  command -v python3 >/dev/null || { say "clients: skipped, there is no python3"; return; }
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    [ "$(id -u)" != 0 ] || need_packages python3-venv
    python3 -c 'import ensurepip' 2>/dev/null || { say "clients: skipped, Python has no venv (Debian's package python3-venv)"; return; }
  fi
  configure build/release -DCMAKE_BUILD_TYPE=Release -DHADAL_TESTS=ON
  build build/release hadal
  log=$(mktemp)
  tests/clients/run 2>&1 | tee "$log" || status=$?
  awk -v counts="$HADAL_COUNTS" '/^clients [0-9]+ passed/ { print "clients", $2, $4 >> counts }' "$log"
  rm -f "$log"
  [ "$status" != 77 ] || status=0
  return "$status"
}

# A real server under attack and with faults, then the short forms of the long trials, whose libraries
# come from the index of Python packages.
stage_serve() {
  local bad=0 log
  log=$(mktemp)
  HADAL_PROGRAM=$root/build/release/apps/hadal/hadal python3 -W ignore -m unittest discover -s tests/attacks 2>&1 |
    tee "$log" || bad=1
  awk -v counts="$HADAL_COUNTS" '/^Ran / { ran = $2 } /^FAILED/ { gsub(/[^0-9]+/, " "); for (i = 1; i <= NF; ++i) fail += $i }
    END { print "serve", ran - fail, fail + 0 >> counts }' "$log"
  rm -f "$log"
  [ "$(id -u)" != 0 ] || need_packages python3-venv
  if scripts/campaign --prepare; then
    if scripts/campaign short; then count serve 1 0; else count serve 0 1; bad=1; fi
  else
    say "serve: the campaigns are skipped, their Python packages cannot be had here"
  fi
  return "$bad"
}
