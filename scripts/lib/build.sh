# Building with CMake and Ninja. Sourced by scripts/run and scripts/test; $root is the project.

build_options=()  # for Ninja

# build FOLDER TARGET...: builds in $root/FOLDER, which has been configured. Progress on a terminal,
# otherwise only what goes wrong.
build() {
  local folder=$root/$1 options=("${build_options[@]}")
  shift
  [ -t 2 ] || options+=(--quiet)
  cmake --build "$folder" --target "$@" -- "${options[@]}" >&2
}

# configure FOLDER OPTION...: with --preset the preset names the folder.
configure() {
  local folder=$root/$1 log
  shift
  log=$(mktemp)
  case " $* " in *" --preset "*) ;; *) set -- -B "$folder" -G Ninja "$@" ;; esac
  if ! cmake -S "$root" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  rm -f "$log"
}
