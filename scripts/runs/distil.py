"""Tests whether a small network learns better from a large one than from the device (distillation).

    python scripts/runs/distil.py runs/devices --device chump --student tiny --minutes 3 \
        --teacher runs/pareto/chump-light/model.safetensors -o runs/distil

Trains the student three times for the same CPU time of one thread: on the recording of the device, on the
teacher's output for the same input, and on the teacher's output for twice as much input (the input, and the
input reversed and inverted). Each is tested on the test recording of the device; each run prints a JSON line.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from judge_amp import judge
from neurdsp.amp import AmpModel
from neurdsp.amp.capture.known import recognise
from neurdsp.amp.config import load_config
from neurdsp.amp.train import train
from neurdsp.audio import read_audio, write_audio
from neurdsp.errors import NeurdspError, ParameterError

LESSONS = ("device", "teacher", "teacher and more")


def recordings(lesson: str, options: argparse.Namespace, folder: Path) -> tuple[Path, Path, list[str]]:
    """Return input and output for training, and the settings of the validation passage."""
    dry, wet = options.devices_folder / "train_in.wav", options.devices_folder / f"{options.device}_train.wav"
    played, rate = read_audio(dry)
    passage = recognise(played, rate).validation
    if passage is None:
        raise ParameterError(f"{dry} has no validation passage; make it with scripts/devices/make.py")
    before = -played[::-1] if lesson == "teacher and more" else played[:0]
    played = np.concatenate([before, played])
    settings = [f"data.validation_start_s={(before.size + passage[0]) / rate}"]
    settings += [f"data.validation_fraction={(passage[1] - passage[0]) / played.size}"]
    if lesson == "device":
        return dry, wet, settings
    output = AmpModel.load(options.teacher).render(played, sample_rate=rate)
    dry, wet = folder / "in.wav", folder / "out.wav"
    write_audio(dry, played, rate)
    write_audio(wet, output, rate)
    return dry, wet, settings


def run(lesson: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train the student on one lesson, and test its file."""
    folder = options.output / lesson.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    dry, wet, passage = recordings(lesson, options, folder)
    settings = [f"training.minutes={options.minutes}", "training.clock=cpu", "training.threads=1"]
    settings += [f"training.seed={options.seed}", "data.latency_samples=0", *passage]
    path = folder / "model.safetensors"
    config = load_config(options.student, overrides=settings)
    train(config, dry, wet, model_path=path, run_dir=folder / "run", overwrite=True)
    test = options.devices_folder / "test_in.wav", options.devices_folder / f"{options.device}_test.wav"
    return {"lesson": lesson, "student": options.student, "device": options.device, **judge(path, *test)}


def main() -> int:
    """Train and test each lesson."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("devices_folder", type=Path, help="made by scripts/devices/make.py")
    parser.add_argument("--device", default="chump")
    parser.add_argument("--teacher", type=Path, required=True, help="a model of the same device")
    parser.add_argument("--student", default="tiny", help="a preset")
    parser.add_argument("--lessons", nargs="+", choices=LESSONS, default=list(LESSONS))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/distil"))
    options = parser.parse_args()
    try:
        for lesson in options.lessons:
            print(json.dumps(run(lesson, options)), flush=True)
    except NeurdspError as error:
        print(f"distil: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
