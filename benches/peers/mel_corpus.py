"""``neurdsp mel`` on a folder of WAV files against a librosa loop: files a second on one core, wall time.

    python benches/peers/mel_corpus.py [--files 1000] [--turns 3] [--folder DIR] [--json FILE]

The files are four seconds of 16-bit mono noise at 22,050 Hz. Both programs write a ``.npy`` file for each;
librosa's loop loads, transforms and saves, and syncs nothing. ``neurdsp mel`` hashes each file, syncs each
result before the manifest names it, and uses one worker. Both run on one core, in turns; a figure is the
median. Put the folder on the disk that is to be measured, where no files were deleted in
the last minutes: ext4 then takes ten times as long to make a file.
"""

# ruff: noqa: E402 (the libraries read the number of threads when they are imported)

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE, SECONDS = 22_050, 4
TARGET_FILES_PER_S, TARGET_RATIO = 600, 8


def write_corpus(folder: Path, n_files: int) -> None:
    """Write the audio."""
    rng = np.random.default_rng(0)
    for number in range(n_files):
        noise = 0.1 * rng.standard_normal(SAMPLE_RATE * SECONDS)
        soundfile.write(folder / f"{number:05}.wav", noise, SAMPLE_RATE, subtype="PCM_16")


def fresh(folder: Path) -> Path:
    """Make another folder: file systems are slow to make files where others were just deleted."""
    return Path(tempfile.mkdtemp(dir=folder))


def neurdsp_s(source: Path, output: Path) -> float:
    """Seconds that the command itself counts for the folder; starting Python is not among them."""
    command = [
        sys.executable,
        "-c",
        "from neurdsp.cli import main; main()",
        "mel",
        source,
        "-o",
        output,
        "--json",
    ]
    done = subprocess.run([*command, "--workers", "1"], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)["elapsed_s"])


def librosa_s(files: list[Path], output: Path) -> float:
    """Seconds of a loop over the files."""
    import librosa

    before = time.perf_counter()
    for path in files:
        y, sr = librosa.load(path, sr=None)
        np.save(output / f"{path.stem}.npy", librosa.feature.melspectrogram(y=y, sr=sr))
    return time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000, metavar="N", help="files in the folder")
    parser.add_argument("--turns", type=int, default=3, metavar="N", help="turns of each program")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where to work; temporary by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    arguments = parser.parse_args()
    if min(arguments.files, arguments.turns) < 1:
        parser.error("--files and --turns are at least one")
    if hasattr(os, "sched_setaffinity"):  # inherited by the command
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rates: dict[str, list[float]] = {"neurdsp mel": [], "librosa loop": []}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        source, output = Path(folder, "wav"), Path(folder, "mel")
        source.mkdir()
        output.mkdir()
        write_corpus(source, arguments.files)
        files = sorted(source.iterdir())
        some = files[: max(arguments.files // 5, 1)]  # enough of the slow one
        librosa_s(files[:1], fresh(output))  # which compiles what it needs
        for _ in range(arguments.turns):
            rates["neurdsp mel"].append(len(files) / neurdsp_s(source, fresh(output)))
            rates["librosa loop"].append(len(some) / librosa_s(some, fresh(output)))
    medians = {name: statistics.median(each) for name, each in rates.items()}
    ratio = statistics.median(ours / theirs for ours, theirs in zip(*rates.values(), strict=True))
    print(f"neurdsp mel   {medians['neurdsp mel']:8.1f} files/s  (target {TARGET_FILES_PER_S})")
    print(f"librosa loop  {medians['librosa loop']:8.1f} files/s")
    print(f"ratio         {ratio:8.2f} x        (target {TARGET_RATIO})")
    if arguments.json is not None:
        report = {"files_per_s": medians, "ratio": ratio, "turns": rates}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
