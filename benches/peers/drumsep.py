"""Drum separation beside other engines: CPU time, memory and null, at 8 chunks a sample and in our tiers.

    python benches/peers/drumsep.py [--frames 1024] [--turns 1] [--json FILE] [--engines "torch; engine"]
    python benches/peers/drumsep.py --whole 30 --json FILE [--truth FOLDER]

Each engine runs one pass in a process of its own, on one thread. From that and the number of passes follows
the cost of a recording: that is an extrapolation, and the table says so. ``--whole`` really separates a
recording of so many seconds. Results are added to FILE as they come: a run that was interrupted goes on. The
work does not depend on the recording or the weights, so the network has random ones and the size of the
public one, unless ``--model`` gives another. Random weights say nothing about the quality on trained ones.

Packages of the dev group suffice, but for ncnn: ``pip install ncnn pnnx``.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

from drumsep_engines import ENGINES, REFERENCE, config_of
from neurdsp.drumsep.demix import Plan

LENGTHS_S = {"30 s": 30, "3 min": 180, "10 min": 600}
#: Engine and overlap of each of our tiers.
TIERS = {
    "exact": ("engine", 8),
    "balanced": ("engine", 2),
    "fast": ("engine", 1),
    "turbo": ("engine, bfloat16", 1),
}
#: SDR of a kick in dB, for which the loss is stated that a null can mean at most.
SDR_DB = 16.7
HERE = Path(__file__).parent


def usual_passes(n_samples, chunk):
    """Passes of the usual demix at overlap 8: it continues the recording by a mirror image at both ends."""
    step = chunk // 8
    border = chunk - step
    return math.ceil((n_samples + (2 * border if n_samples > 2 * border else 0)) / step)


def our_passes(n_samples, chunk, n_overlaps):
    plan = Plan.one_pass(chunk) if n_overlaps == 1 else Plan.overlapping(chunk, n_overlaps)
    return plan.n_chunks(n_samples)


def sdr_loss_db(null_db, sdr_db=SDR_DB):
    """The largest fall of an SDR that a null allows: all of the difference adds to the error."""
    return 20 * math.log10(1 + 10 ** ((null_db + sdr_db) / 20))


def random_model(folder):
    """A model file of the public size with random weights, made once in a process of its own."""
    path = folder / "random.safetensors"
    if not path.exists():
        code = (
            "import sys, torch; torch.manual_seed(0); torch.set_num_threads(1)\n"
            "from neurdsp.drumsep.config import TfcTdfConfig\n"
            "from neurdsp.drumsep.export import write_network\n"
            "from neurdsp.drumsep.model import TfcTdfNet\n"
            "c = TfcTdfConfig(); state = TfcTdfNet(c).eval().state_dict()\n"
            "write_network({k: v.numpy() for k, v in state.items()}, c, sys.argv[1])"
        )
        subprocess.run([sys.executable, "-c", code, path], check=True)
    return path


class Records:
    """Results in a JSON file, which grows as they come."""

    def __init__(self, path, settings):
        self.path, self.tree = path, {"settings": settings, "passes": {}, "whole": {}}
        if path is not None and path.exists():
            found = json.loads(path.read_text())
            if found["settings"] != settings:
                sys.exit(f"{path} has the settings {found['settings']}, not {settings}; give another file")
            self.tree = found

    def save(self):
        if self.path is not None:
            temporary = self.path.with_suffix(".tmp")
            temporary.write_text(json.dumps(self.tree, indent=2) + "\n")
            temporary.replace(self.path)


def child(script, *arguments):
    """The JSON that a child prints last, or a line on why there is none."""
    done = subprocess.run(
        [sys.executable, HERE / script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_passes(records, names, model, folder, frames, turns):
    """Run the engines in turn; what is in the records already is not run again."""
    passes = records.tree["passes"]
    for turn in range(turns):
        for name in names:
            kept = passes.setdefault(name, [])
            if len(kept) > turn:
                continue
            result = child("drumsep_engines.py", name, model, folder, frames)
            if result is None:  # the engine's own file was made: now measure it
                result = child("drumsep_engines.py", name, model, folder, frames)
            if isinstance(result, str):
                print(f"{name}: not run: {result}", file=sys.stderr)
                continue
            kept.append(result)
            records.save()
            print(f"{name}: {result['cpu_s']:.2f} CPU-s", file=sys.stderr)


def median(results, key):
    values = [result[key] for result in results if key in result]
    return statistics.median(values) if values else math.nan


def shown(value):
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"


def print_table(records, config, frames):
    """The cost of recordings, from passes."""
    passes = {name: results for name, results in records.tree["passes"].items() if results}
    chunk, rate = (frames - 1) * config.hop_length, config.sample_rate
    per_pass = {name: median(results, "cpu_s") for name, results in passes.items()}
    rows = [
        (f"{name} (8)", name, lambda n: usual_passes(n, chunk)) for name in passes if "engine" not in name
    ]
    rows += [
        (f"neurdsp {tier} ({overlap})", name, lambda n, overlap=overlap: our_passes(n, chunk, overlap))
        for tier, (name, overlap) in TIERS.items()
        if name in passes
    ]
    lengths = {name: seconds * rate for name, seconds in LENGTHS_S.items()}
    base = per_pass.get(REFERENCE, math.nan) * usual_passes(lengths["3 min"], chunk)
    print(f"\nPasses of {chunk / rate:.2f} s; recordings extrapolated: CPU time of a pass x passes.")
    print(f"{'engine (chunks a sample)':<28}{'CPU-s/pass':>11}{'x torch':>8}", end="")
    for name in lengths:
        print(f"{name + ': passes':>15}{'CPU-s':>8}", end="")
    print(f"{'CPU-s/min':>10}{'x real':>8}{'speed-up':>9}{'MiB':>7}{'null dB':>9}{'SDR loss':>10}")
    for label, name, count in rows:
        one = per_pass[name]
        print(f"{label:<28}{one:>11.2f}{per_pass.get(REFERENCE, math.nan) / one:>8.2f}", end="")
        for n_samples in lengths.values():
            print(f"{count(n_samples):>15}{one * count(n_samples):>8.0f}", end="")
        spent = one * count(lengths["3 min"])
        null = median(passes[name], "null_db")
        loss = "-" if math.isnan(null) else f"<{sdr_loss_db(null):.4f}"
        print(f"{spent / 3:>10.1f}{180 / spent:>8.2f}{base / spent:>9.2f}", end="")
        print(f"{median(passes[name], 'peak_mib'):>7.0f}{shown(null):>9}{loss:>10}")
    print(
        "\nnull: of a pass, beside torch eager. SDR loss in dB: the most that this null can take from a\n"
        f"stem at {SDR_DB} dB; what a tier loses by fewer chunks is not in it, see --whole. MiB: peak of\n"
        "the process, loading included. x real: seconds of audio in a CPU-second. speed-up: of 3 minutes,\n"
        "beside torch eager."
    )


def print_whole(records):
    print("\nWhole recordings, really separated:")
    print(
        f"{'engine, tier':<36}{'seconds':>8}{'CPU-s':>9}{'x real':>8}{'MiB':>7}{'null dB':>9}"
        f"{'SDR change':>11}"
    )
    for label, result in records.tree["whole"].items():
        null, change = (shown(result.get(key)) for key in ("null_db", "sdr_change_db"))
        speed = result["seconds"] / result["cpu_s"]
        print(f"{label:<36}{result['seconds']:>8.0f}{result['cpu_s']:>9.1f}{speed:>8.2f}", end="")
        print(f"{result['peak_mib']:>7.0f}{null:>9}{change:>11}")


def run_whole(records, names, model, folder, seconds, sound, truth):
    """Separate a recording, first by torch with eight chunks a sample, then by each of our tiers."""
    whole = records.tree["whole"]
    cases = [("torch", "float32", "exact")] if REFERENCE in names else []
    cases += [
        ("engine", "bfloat16" if "bfloat16" in name else "float32", tier)
        for tier, (name, _) in TIERS.items()
        if name in names
    ]
    for case in cases:
        label = f"{case[0]} {case[2]}, {seconds} s" + (f", {sound} of sound" if sound < seconds else "")
        if label in whole:
            continue
        result = child("drumsep_whole.py", *case, model, folder, seconds, sound, truth or "")
        if isinstance(result, str):
            print(f"{label}: not run: {result}", file=sys.stderr)
            continue
        whole[label] = result
        records.save()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, metavar="N", help="of a pass; by default those of the network")
    parser.add_argument("--turns", type=int, default=1, metavar="N", help="passes of each engine, in turn")
    parser.add_argument("--engines", metavar="A;B", help="semicolons between: " + "; ".join(ENGINES))
    parser.add_argument("--model", type=Path, help="model file; by default random weights of the public size")
    parser.add_argument("--whole", type=int, metavar="SECONDS", help="separate a recording so long instead")
    parser.add_argument(
        "--sound", type=int, metavar="SECONDS", help="silence after that, which is not run: for memory alone"
    )
    parser.add_argument("--truth", type=Path, metavar="FOLDER", help="true stems, for --whole with --model")
    parser.add_argument(
        "--folder", type=Path, default=Path("target/bench-drumsep"), help="for what engines need"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="results, added as they come")
    arguments = parser.parse_args()
    names = list(ENGINES) if arguments.engines is None else arguments.engines.split(";")
    names = [name.strip() for name in names]
    if unknown := [name for name in names if name not in ENGINES]:
        parser.error(f"no engine {unknown[0]!r}; there are {'; '.join(ENGINES)}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = arguments.folder.resolve()
    model = arguments.model.resolve() if arguments.model else random_model(folder)
    config = config_of(model)
    frames = arguments.frames or config.n_frames
    records = Records(arguments.json, {"frames": frames, "model": model.name})
    if arguments.whole:
        sound = min(arguments.sound or arguments.whole, arguments.whole)
        run_whole(records, names, model, folder, arguments.whole, sound, arguments.truth)
    else:
        run_passes(records, names, model, folder, frames, arguments.turns)
    if records.tree["passes"]:
        print_table(records, config, frames)
    if records.tree["whole"]:
        print_whole(records)


if __name__ == "__main__":
    main()
