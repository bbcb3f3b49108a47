"""What is compared: files, measures, and how the turns are taken."""
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Model:
    name: str
    shape: str = ""  # of `hadal synth`; empty: a file that is there
    number_format: str = ""
    context_tokens: int = 1 << 20


MODELS = (Model("smollm2-q4_1", context_tokens=8192), Model("v2-lite-q4_0", "v2-lite", "q4_0"),
          Model("v2-lite-mxfp4", "v2-lite", "mxfp4"), Model("qwen2-1.5b-q8_0", "qwen2-1.5b", "q8_0"))
PROMPTS = (32, 512, 4096)
DEPTHS = (0, 4096, 16384)
BATCHES = (4, 16)
STEPS = 64


@dataclass(frozen=True)
class Measure:
    kind: str  # "prefill" or "decode"
    tokens: int = 0  # of the prompt, or of the context before the steps
    batch: int = 1

    def __str__(self):
        if self.kind == "prefill":
            return f"prefill {self.tokens}"
        return f"decode after {self.tokens}" + (f", batch {self.batch}" if self.batch > 1 else "")

    def run(self, program, path):
        if self.kind == "prefill":
            return program.prefill(path, self.tokens)
        return program.decode(path, STEPS, self.tokens, self.batch)


def measures(model):
    every = [Measure("prefill", tokens) for tokens in PROMPTS]
    every += [Measure("decode", depth) for depth in DEPTHS]
    every += [Measure("decode", 0, batch) for batch in BATCHES]
    return [m for m in every if m.tokens + STEPS <= model.context_tokens]


@dataclass
class Outcome:
    model: str
    measure: str
    bandwidth_before: float
    bandwidth_after: float = 0.0
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)

    def ratio(self):
        """The median of the pairs' ratios: what the machine does meanwhile hits both sides alike."""
        return median(a / b for a, b in zip(self.ours, self.theirs))


def find_or_make(model, folder, smollm2, hadal, say):
    if not model.shape:
        return Path(smollm2)
    path = folder / f"{model.name}.gguf"
    if not path.exists():
        say(f"writing {path}")
        hadal.synth(model.shape, model.number_format, path)
    return path


def warm(path):
    """Reads the file once, so that whoever comes next finds it in the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


def compare(measure, model, path, hadal, peer, turns, say):
    """A B A B ..., one program at a time. The first pair warms up and is not counted, unless it takes so long
    that it is its own warm-up. The file is read before each: what one side holds in memory of its own pushes
    the file out of the page cache that both load it from."""
    outcome = Outcome(model.name, str(measure), hadal.read_bandwidth())
    warmed = False
    while len(outcome.ours) < turns:
        begin = time.monotonic()
        pair = []
        for program in (hadal, peer):
            warm(path)
            pair.append(measure.run(program, path))
        if warmed or time.monotonic() - begin > 120:
            outcome.ours.append(pair[0])
            outcome.theirs.append(pair[1])
        warmed = True
    outcome.bandwidth_after = hadal.read_bandwidth()
    say(f"{model.name}, {measure}: {median(outcome.ours):.1f} against {median(outcome.theirs):.1f} "
        f"tokens/s, {outcome.ratio():.2f} times")
    return outcome
