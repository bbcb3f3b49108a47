"""Shared by the checks: the project's files, and how a finding is said."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPP = (".cc", ".h", ".comp")


def files(*suffixes):
    """Paths, relative to the root, of all files that git knows or does not ignore."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith(("build/", ".git/"))]
    paths = sorted(pathlib.PurePosixPath(n) for n in set(names) if n)
    return [p for p in paths if (not suffixes or p.name.endswith(suffixes)) and (ROOT / p).is_file()]


def read(path):
    with open(ROOT / path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


class Findings:
    """Collects findings; finish() prints them and gives the exit code."""

    def __init__(self, check):
        self.check, self.lines = check, []

    def add(self, path, line, rule, cure):
        self.lines.append(f"{path}:{line}: {rule}; cure: {cure}")

    def finish(self, summary):
        for line in self.lines:
            print(line)
        print(f"{self.check}: {summary}, {len(self.lines)} findings")
        sys.exit(1 if self.lines else 0)
