"""Makes the shipped amps: captures circuits, trains, tests on other playing, and describes the files.

    python scripts/runs/ship_amps.py -o runs/amps            # all
    python scripts/runs/ship_amps.py -o runs/amps crunch     # one; --install copies it into the package

The devices are plugins of the Debian package ``guitarix-lv2`` (also needed: ``lilv-utils fluidsynth
fluid-soundfont-gm``). Those with knobs are captured at the settings of a Latin hypercube and at the corners,
where every knob is at an end, and tested at random settings too. The input is ``neurdsp amp signal`` without
its blips, its silence and the second half of its playing. A stopped run continues when it is started again.
The budget is a number of steps, so training gives the same result on the same processor.
"""

import argparse
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from describe_amps import describe
from judge_amp import judge, record
from neurdsp import modelfile
from neurdsp.amp.capture import lv2
from neurdsp.amp.capture.manifest import Knob
from neurdsp.amp.capture.signal import capture_signal
from neurdsp.amp.capture.sweep import sweep
from neurdsp.amp.config import load_config
from neurdsp.amp.knobs.train import train_parametric
from neurdsp.amp.train import train
from neurdsp.audio import write_audio
from neurdsp.errors import NeurdspError

RATE = 48_000
PLUGINS = "http://guitarix.sourceforge.net/plugins/"
SHIPPED = Path(__file__).parents[2] / "python" / "neurdsp" / "amp" / "shipped"
KEPT_S = ((12.0, 57.0), (60.0, 115.0), (170.5, 180.0))
"""Used parts of the capture signal: sweeps to steps, half of the playing, validation."""


@dataclass(frozen=True)
class Amp:
    """A shipped amp: its device, the knobs of the model, and the fixed controls."""

    title: str
    description: str
    plugin: str
    preset: str
    steps: int
    fixed: dict[str, float]
    knobs: dict[str, Knob] = field(default_factory=dict)
    n_train: int = 9
    n_test: int = 4


AMPS = {
    "screamer": Amp(
        "Screamer",
        "Tube screamer with drive and tone: guitarix's gxts9.",
        "gxts9#ts9sim",
        "knobs",
        16000,
        {"fslider0_": -4.0},
        {
            "drive": Knob(control="fslider2_"),
            "tone": Knob(control="fslider1_", minimum=100, maximum=1000, default=0.333333),
        },
    ),
    "crunch": Amp(
        "Crunch",
        "Small amp with gain and tone, without its cabinet: guitarix's chump.",
        "gx_redeye#chump",
        "knobs",
        40000,
        {"Volume": 0.3},
        {
            "gain": Knob(control="Gain", minimum=0.15, maximum=1, default=0.411765),
            "tone": Knob(control="Tone"),
        },
    ),
    "clean": Amp(
        "Clean",
        "Tube preamp with gain and treble: guitarix's studio preamp.",
        "gx_studiopre#studiopre",
        "knobs",
        30000,
        {"master": 0.6},
        {
            "gain": Knob(control="volume", minimum=0.05, maximum=0.25, default=0.4),
            "treble": Knob(control="treble"),
        },
        n_train=7,
        n_test=3,
    ),
    "highgain": Amp(
        "High gain",
        "High-gain amp without its cabinet: guitarix's metal amp, drive 18, pregain 18.",
        "gxmetal_amp#metal_amp",
        "standard",
        9000,
        {"DRIVE": 18.0, "TONE": 0.6, "PREGAIN": 18.0, "GAIN1": 0.0},
    ),
    "fuzz": Amp(
        "Fuzz",
        "Two-transistor fuzz: guitarix's fuzz face, fuzz 0.9.",
        "gx_fuzzface_#_fuzzface_",
        "standard",
        14000,
        {"FUZZ": 0.9, "LEVEL": 0.5},
    ),
}


def write_inputs(folder: Path) -> None:
    """Write the inputs for training and for the final test."""
    from capture_signal import test_signal

    if not (folder / "in.wav").is_file():
        whole = capture_signal(RATE)
        parts = [whole[round(start * RATE) : round(stop * RATE)] for start, stop in KEPT_S]
        write_audio(folder / "in.wav", np.concatenate(parts), RATE, subtype="PCM_24")
    if not (folder / "test_in.wav").is_file():
        write_audio(folder / "test_in.wav", test_signal(), RATE)


def make(name: str, amp: Amp, folder: Path) -> Path:
    """Capture, train and test one amp; return its file."""
    device, here = PLUGINS + amp.plugin, folder / name
    model = here / f"{name}.safetensors"
    run_dir = here / "train"
    here.mkdir(parents=True, exist_ok=True)
    config = load_config(
        amp.preset,
        overrides=[
            "training.minutes=null",
            f"training.steps={amp.steps}",
            "training.threads=1",
            "training.validate_steps=1000",
            "training.learning_rate=0.008",
            # These plugins have no latency; without blips an estimate would be off by a few samples.
            "data.latency_samples=0",
        ],
    )
    resume = (run_dir / "checkpoint.pt").is_file()
    if amp.knobs:
        manifest = sweep(
            folder / "in.wav",
            here,
            device,
            amp.knobs,
            n_train=amp.n_train,
            n_test=amp.n_test,
            corners=True,
            fixed=amp.fixed,
            overwrite=True,
        )
        train_parametric(
            config,
            manifest,
            model_path=model,
            run_dir=run_dir,
            resume=resume,
            show=True,
            overwrite=not resume,
        )
    else:
        wet = here / "out.wav"
        if not wet.is_file():
            lv2.capture(folder / "in.wav", wet, device, amp.fixed)
        train(
            config,
            folder / "in.wav",
            wet,
            model_path=model,
            run_dir=run_dir,
            resume=resume,
            show=True,
            overwrite=not resume,
        )
    at_defaults = {knob.control: knob.value(knob.default) for knob in amp.knobs.values()}
    controls = {**amp.fixed, **at_defaults}
    lv2.capture(folder / "test_in.wav", here / "test_out.wav", device, controls)
    figures = {
        f"test_{key}": value
        for key, value in judge(model, folder / "test_in.wav", here / "test_out.wav").items()
    }
    record(model, figures, card(amp, device, controls))
    return model


def card(amp: Amp, device: str, controls: dict[str, float]) -> dict[str, Any]:
    """Return the facts that the file's metadata state."""
    swept = {
        name: {"control": k.control, "from": k.minimum, "to": k.maximum} for name, k in amp.knobs.items()
    }
    return {
        "name": amp.title,
        "description": amp.description,
        "license": "MIT OR Apache-2.0",
        "device": {
            "plugin": device,
            "package": "guitarix-lv2 0.44.1+dfsg1-2 (GPL-2.0-or-later)",
            "controls": controls,
            "knobs": swept,
        },
        "recipe": "scripts/runs/ship_amps.py",
    }


def main() -> int:
    """Make the named amps, and print their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="amps to make; all by default")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/amps"), help="folder")
    parser.add_argument("--install", action="store_true", help="copy the files into the package")
    options = parser.parse_args()
    unknown = set(options.names) - set(AMPS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(AMPS)}")
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        write_inputs(options.output)
        for name in options.names or AMPS:
            model = make(name, AMPS[name], options.output)
            print(name, f"{model.stat().st_size / 1e3:.0f} kB", json.dumps(modelfile.info(model).metrics))
            if options.install:
                shutil.copyfile(model, SHIPPED / model.name)
                describe(SHIPPED / model.name)
    except (NeurdspError, RuntimeError) as error:
        print(f"ship_amps: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
