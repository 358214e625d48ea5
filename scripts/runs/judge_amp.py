"""Tests an exported amp on held-out recordings with the engine, and records the figures in its file.

    python scripts/runs/judge_amp.py amp.safetensors --pair test dry.wav wet.wav --about about.json

Facts about the device come from ``--about``, a JSON object. Its keys become ``neurdsp.KEY`` in the metadata,
strings unchanged and other values as JSON. Figures are added to ``neurdsp.metrics`` as ``test_esr`` and so
on.
"""

import argparse
import json
import sys
from pathlib import Path

from neurdsp import modelfile
from neurdsp.amp import AmpModel
from neurdsp.audio import read_audio
from neurdsp.errors import NeurdspError, ParameterError
from neurdsp.metrics import esr, multi_resolution_stft_distance, pre_emphasised_esr

__all__ = ["judge", "record"]


def judge(model: Path, dry: Path, wet: Path) -> dict[str, float]:
    """Play the dry recording through the model, and compare the result with the output of the device.

    Parameters
    ----------
    model, dry, wet : Path
        The exported file, and a pair of mono recordings that it was not trained on. If the wet one is
        shorter, only its length is compared.

    Returns
    -------
    dict of str to float
        ``esr``, ``pre_emphasised_esr``, ``stft_distance`` and ``seconds``.

    Raises
    ------
    NeurdspError
        If a file cannot be read, the rates differ, or the wet recording is the longer one.
    """
    played, rate = read_audio(dry)
    target, target_rate = read_audio(wet)
    if len(target) > len(played) or rate != target_rate:
        raise ParameterError(
            f"{dry}: {len(played)} samples, {rate} Hz; {wet}: {len(target)}, {target_rate} Hz: give a pair"
        )
    output = AmpModel.load(model).render(played[: len(target)], sample_rate=rate)
    return {
        "esr": esr(target, output),
        "pre_emphasised_esr": pre_emphasised_esr(target, output),
        "stft_distance": multi_resolution_stft_distance(target, output),
        "seconds": len(target) / rate,
    }


def record(model: Path, figures: dict[str, float], about: dict[str, object]) -> None:
    """Write figures and facts into the metadata of a model file; its tensors do not change."""
    file = modelfile.read(model)
    metadata = dict(file.metadata)
    metrics = json.loads(metadata.get("neurdsp.metrics", "{}"))
    metadata["neurdsp.metrics"] = json.dumps(
        {**metrics, **{k: float(f"{v:.6g}") for k, v in figures.items()}}
    )
    for key, value in about.items():
        metadata[f"neurdsp.{key}"] = value if isinstance(value, str) else json.dumps(value)
    modelfile.write(model, metadata, file.tensors)


def main() -> int:
    """Test, record and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--pair", nargs=3, action="append", required=True, metavar=("NAME", "DRY", "WET"), dest="pairs"
    )
    parser.add_argument("--about", type=Path, help="JSON object of facts to record")
    options = parser.parse_args()
    try:
        about = json.loads(options.about.read_text()) if options.about else {}
        figures = {
            f"{name}_{key}": value
            for name, dry, wet in options.pairs
            for key, value in judge(options.model, Path(dry), Path(wet)).items()
        }
        record(options.model, figures, about)
    except (NeurdspError, OSError, json.JSONDecodeError) as error:
        print(f"judge_amp: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
