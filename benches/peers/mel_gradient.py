"""Forward and backward of a log-mel against torchaudio: eight clips of 2 s at 44.1 kHz, one thread.

    python benches/peers/mel_gradient.py [--rounds 20] [--json FILE]

Both run in one process and take turns of five passes, as a training loop makes many in a row; medians of CPU
time and the ratio are printed. torchaudio gets the same filterbank and padding.
"""

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import torch
import torchaudio
from neurdsp.nn import MelSpectrogram

ROWS, SECONDS, RATE = 8, 2, 44_100

#: Passes of each contender in a turn.
PASSES = 5


def contenders():
    """Modules that take samples and give the same log-mel."""
    ours = MelSpectrogram(sr=RATE, n_fft=2048, hop_length=512, n_mels=128, pad_mode="reflect", log="ln")
    mel = torchaudio.transforms.MelSpectrogram(
        RATE, n_fft=2048, hop_length=512, n_mels=128, norm="slaney", mel_scale="slaney", pad_mode="reflect"
    )
    return {"neurdsp": ours, "torchaudio": lambda samples: mel(samples).clamp_min(1e-5).log()}


def measure(module, samples, backward):
    """CPU milliseconds of one pass, and the gradient or the result."""
    leaf = samples.clone().requires_grad_(backward)
    start = time.process_time()
    result = module(leaf)
    if backward:
        result.abs().mean().backward()
    return 1e3 * (time.process_time() - start), leaf.grad if backward else result


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    samples = 0.3 * torch.randn(ROWS, SECONDS * RATE, generator=torch.Generator().manual_seed(0))
    modules = contenders()
    report = {"machine": platform.processor() or platform.machine(), "load": os.getloadavg()[0]}
    for name, backward in (("forward", False), ("forward_backward", True)):
        outputs = {who: measure(module, samples, backward)[1] for who, module in modules.items()}
        error = float((outputs["neurdsp"] - outputs["torchaudio"]).abs().max())
        scale = float(outputs["torchaudio"].abs().max())
        times = {who: [] for who in modules}
        for _ in range(arguments.rounds):
            for who, module in modules.items():
                times[who].extend(measure(module, samples, backward)[0] for _ in range(PASSES))
        medians = {f"{who}_ms": round(statistics.median(values), 3) for who, values in times.items()}
        ratio = medians["torchaudio_ms"] / medians["neurdsp_ms"]
        report[name] = {**medians, "ratio": round(ratio, 2), "relative_difference": error / scale}
        print(f"{name:17} {medians} ratio {ratio:.2f}, largest difference {error / scale:.1e} of the peak")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
