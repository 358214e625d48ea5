"""Writes the golden files of ``tests/goldens`` from independent references.

The metadata of each file state its producer and version, the seed and the tolerance (error energy relative to
the energy of the expected output, in dB). Cargo's tests and pytest read the same files. ``cargo xtask
goldens`` runs this script into a temporary folder and compares. Code and goldens never change in the same
commit.

    python scripts/make_goldens.py tests/goldens
"""

import argparse
import json
from pathlib import Path

import librosa
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

SEED = 20260611
STFT_CASES = [
    {"n_fft": 512, "hop_length": 128, "window": "hann", "center": True, "pad_mode": "constant"},
    {"n_fft": 400, "hop_length": 160, "window": "hann", "center": True, "pad_mode": "reflect"},
    {"n_fft": 256, "hop_length": 100, "win_length": 200, "window": "hamming", "center": False},
    {"n_fft": 125, "hop_length": 31, "window": "blackman", "center": True, "pad_mode": "edge"},
]
MEL_CASES = [
    {"sr": 22050, "n_fft": 1024, "n_mels": 64},
    {"sr": 16000, "n_fft": 400, "n_mels": 80, "fmin": 20.0, "fmax": 7600.0},
    {"sr": 44100, "n_fft": 512, "n_mels": 20, "htk": True, "norm": None},
]
WAVENET_CASES = [
    {"channels": 16, "num_layers": 6, "kernel_size": 3, "dilation_base": 2},
    {"channels": 5, "num_layers": 3, "kernel_size": 2, "dilation_base": 3},
    {"channels": 18, "num_layers": 4, "kernel_size": 4, "dilation_base": 2},
]


def chirp_in_noise(n_samples: int) -> NDArray[np.float64]:
    """Return a signal with all frequencies and without silence, in which an error could hide."""
    rng = np.random.default_rng(SEED)
    time = np.arange(n_samples) / n_samples
    return 0.5 * np.sin(2 * np.pi * (20 + 0.2 * n_samples * time) * time) + 0.1 * rng.standard_normal(
        n_samples
    )


def save(
    path: Path, tensors: dict[str, NDArray], producer: str, tolerance_db: float, cases: list[dict]
) -> None:
    """Write one golden file."""
    metadata = {
        "producer": producer,
        "seed": str(SEED),
        "tolerance_db": str(tolerance_db),
        "cases": json.dumps(cases),
    }
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path, metadata)
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


def make_stft(folder: Path) -> None:
    """Write STFTs in double precision by librosa; real and imaginary part are the last axis."""
    signal = chirp_in_noise(1500)
    tensors = {"input": signal}
    for index, case in enumerate(STFT_CASES):
        spectrum = librosa.stft(signal, dtype=np.complex128, **case)
        tensors[f"output.{index}"] = np.stack([spectrum.real, spectrum.imag], axis=-1)
    save(folder / "stft.safetensors", tensors, f"librosa {librosa.__version__}", -250.0, STFT_CASES)


def make_mel(folder: Path) -> None:
    """Write mel filterbanks by librosa, computed in double precision."""
    tensors = {}
    for index, case in enumerate(MEL_CASES):
        bank = librosa.filters.mel(dtype=np.float64, **{"norm": "slaney", **case})
        tensors[f"output.{index}"] = bank.astype(np.float32)
    save(folder / "mel_filters.safetensors", tensors, f"librosa {librosa.__version__}", -135.0, MEL_CASES)


def make_wavenet(folder: Path) -> None:
    """Write outputs of random amp networks by torch in double precision, after endless silence."""
    generator = torch.Generator().manual_seed(SEED)

    def normal(*shape: int, scale: float) -> torch.Tensor:
        # Rounded to float32, because the engine holds float32 weights.
        return (scale * torch.randn(*shape, generator=generator)).float().double()

    signal = torch.from_numpy(chirp_in_noise(2500)).float()
    tensors = {"input": signal.numpy()}
    for index, case in enumerate(WAVENET_CASES):
        channels, kernel, base = case["channels"], case["kernel_size"], case["dilation_base"]
        weights = {
            "input_conv.weight": normal(channels, 1, 1, scale=1.0),
            "input_conv.bias": normal(channels, scale=0.1),
        }
        for layer in range(case["num_layers"]):
            scale = 1.0 / np.sqrt(channels * kernel)
            weights[f"layers.{layer}.conv.weight"] = normal(channels, channels, kernel, scale=scale)
            weights[f"layers.{layer}.conv.bias"] = normal(channels, scale=0.1)
        weights["output_conv.weight"] = normal(1, channels, 1, scale=0.3)
        weights["output_conv.bias"] = normal(1, scale=0.1)

        dilations = [base**layer for layer in range(case["num_layers"])]
        history = (kernel - 1) * sum(dilations)
        hidden = torch.cat([torch.zeros(history, dtype=torch.float64), signal.double()])[None, None]
        hidden = torch.conv1d(hidden, weights["input_conv.weight"], weights["input_conv.bias"])
        for layer, dilation in enumerate(dilations):
            convolved = torch.conv1d(
                hidden,
                weights[f"layers.{layer}.conv.weight"],
                weights[f"layers.{layer}.conv.bias"],
                dilation=dilation,
            )
            hidden = hidden[..., (kernel - 1) * dilation :] + torch.tanh(convolved)
        output = torch.conv1d(hidden, weights["output_conv.weight"], weights["output_conv.bias"])
        tensors[f"output.{index}"] = output[0, 0].float().numpy()
        for name, value in weights.items():
            tensors[f"weights.{index}.{name}"] = value.float().numpy()
    # The engine promises 2e-6 of the peak, which is -105 dB of energy or less for signals like this one.
    save(folder / "wavenet.safetensors", tensors, f"torch {torch.__version__}", -110.0, WAVENET_CASES)


def main() -> None:
    """Write all golden files into the folder of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    make_stft(folder)
    make_mel(folder)
    make_wavenet(folder)


if __name__ == "__main__":
    main()
