# Shared by tools/fuzz and tools/coverage: reads tools/fuzz_targets.txt. Sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${HADAL_SHARED_DIR:-$root/../shared}

# Headers only: a seed is cut to this length (the longest header of the goldens has 62 kB).
most_seed_bytes=65536

# Names of all targets, or of those given.
targets() {
  if [ $# -gt 0 ]; then printf '%s\n' "$@"; else grep -v '^#' "$root/tools/fuzz_targets.txt" | cut -d'|' -f1 | tr -d ' '; fi
}

# field TARGET NUMBER: a column of the target's row.
field() {
  local row
  row=$(grep "^$1 *|" "$root/tools/fuzz_targets.txt") || { echo "fuzz: no target $1 in tools/fuzz_targets.txt" >&2; return 1; }
  cut -d'|' -f"$2" <<<"$row"
}

# gather_seeds TARGET FOLDER: copies the target's seeds into one flat folder, each cut to its first bytes.
gather_seeds() {
  local seed path file number=0
  mkdir -p "$2"
  for seed in $(field "$1" 2); do
    path=$root/$seed
    case $seed in shared:*) path=$shared/${seed#shared:} ;; esac
    [ -e "$path" ] || { echo "$1: no seeds at $path, going on without" >&2; continue; }
    while IFS= read -r file; do
      number=$((number + 1))
      case $file in
        *.gz) { gzip -dc "$file" || true; } 2>/dev/null | head -c "$most_seed_bytes" >"$2/seed_$number" ;;
        *) head -c "$most_seed_bytes" "$file" >"$2/seed_$number" ;;
      esac
    done < <(find "$path" -type f)
  done
  [ "$number" -gt 0 ] || { echo "$1: no seeds" >&2; return 1; }
}
