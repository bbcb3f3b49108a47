"""The comparison as a table in Markdown, as JSON and as a picture."""
import json
from dataclasses import asdict
from statistics import median


def _spread(values):
    return f"{min(values):.1f} / {median(values):.1f} / {max(values):.1f}"


def table(outcomes, machine):
    lines = [f"Machine: {machine}. Tokens per second: minimum / median / maximum; the ratio is the "
             "median over neighbouring pairs.", "",
             "| model | measure | Hadal | llama.cpp | ratio | read bandwidth before, after (GB/s) |",
             "|---|---|---|---|---|---|"]
    for o in outcomes:
        lines.append(f"| {o.model} | {o.measure} | {_spread(o.ours)} | {_spread(o.theirs)} | "
                     f"{o.ratio():.2f} | {o.bandwidth_before / 1e9:.1f}, {o.bandwidth_after / 1e9:.1f} |")
    return "\n".join(lines) + "\n"


def write(outcomes, machine, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.md").write_text(table(outcomes, machine))
    (folder / "comparison.json").write_text(
        json.dumps({"machine": machine, "outcomes": [asdict(o) for o in outcomes]}, indent=1) + "\n")


def plot(outcomes, machine, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    models = list(dict.fromkeys(o.model for o in outcomes))
    figure, axes = pyplot.subplots(1, len(models), squeeze=False, sharex=True,
                                   figsize=(4.2 * max(len(models), 2), 4.4))
    for axis, model in zip(axes[0], models):
        rows = [o for o in outcomes if o.model == model][::-1]
        ratios = [o.ratio() for o in rows]
        axis.barh([o.measure for o in rows], ratios, color="#2f6f9f", height=0.6)
        pairs = [sorted(a / b for a, b in zip(o.ours, o.theirs)) for o in rows]
        for y, (ratio, pair) in enumerate(zip(ratios, pairs)):
            axis.plot([pair[0], pair[-1]], [y, y], color="#123", linewidth=1.2)
            axis.text(pair[-1], y, f" {ratio:.2f}", va="center", fontsize=8)
        axis.set_ylim(-0.7, max(len(rows), 8) - 0.3)
        axis.axvline(1, color="#b33", linewidth=1)
        axis.set_title(model, fontsize=10)
        axis.tick_params(labelsize=8)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    axes[0][0].set_xlim(0, 1.18 * max(max(a / b for a, b in zip(o.ours, o.theirs)) for o in outcomes))
    figure.suptitle(f"Tokens per second, Hadal over llama.cpp, same file, in turns\n{machine}; "
                    "lines: least to most of the pairs", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
