"""Mel spectrograms, STFT and inverse beside other libraries: CPU time on one thread, all in one process.

Run it in the development environment, with as many of the peers installed as you like::

    python benches/peers/mel.py [--json FILE] [--turns N] [CASE ...]

The contenders take turns, so that a busy machine slows all of them alike. Where a call is short, a turn is
several calls, as in a program that goes through files; ``--calls 1`` measures calls that find the caches full
of another library's data. A figure is the median over all calls. neurdsp is what the wheel holds: built for a
plain x86-64, with the instruction set picked at run time.
"""

# ruff: noqa: E402 (the libraries read the number of threads when they are imported)

import os

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import importlib
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neurdsp
import numpy as np

Run = Callable[[], Any]

#: Ratio that neurdsp is to reach over a peer, by case and peer.
TARGETS: dict[str, dict[str, float]] = {
    "a": {"librosa": 14, "torchaudio": 9, "torch": 9},
    "a-704": {"librosa": 8, "torch": 9},
    "b": {"librosa": 18, "torchaudio": 9, "torch": 9},
    "c": {
        "librosa": 11,
        "torchaudio": 10,
        "openai-whisper": 10,
        "transformers": 35,
        "kaldi-native-fbank": 600,
    },
    "d": {"librosa": 11, "torchaudio": 21, "torch": 21},
    "e": {"librosa": 10, "torchaudio": 20, "torch": 20},
    "stft": {"librosa": 6, "torch": 3},
    "istft": {"librosa": 7, "torch": 4},
    "a-exact": {"librosa float32": 5, "librosa float64": 6},
}

_PEERS = {
    "librosa": "librosa",
    "torch": "torch",
    "torchaudio": "torchaudio",
    "transformers": "transformers",
    "openai-whisper": "whisper",
    "kaldi-native-fbank": "kaldi_native_fbank",
}


@dataclass
class Case:
    """One task and who does it; ``neurdsp`` is the first contender."""

    name: str
    what: str
    runs: dict[str, Run] = field(default_factory=dict)
    turns: int = 11
    calls: int = 5
    """Of each contender in a turn."""
    two_threads: Run | None = None
    """neurdsp's run on two threads, where that is measured."""


def load_peers() -> dict[str, Any]:
    """Import the peers that are installed and say which are not."""
    peers = {}
    for name, module in _PEERS.items():
        try:
            peers[name] = importlib.import_module(module)
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    if "torch" in peers:
        peers["torch"].set_num_threads(1)
    return peers


def noise(*shape: int) -> np.ndarray:
    """Reproducible noise, float32, within ±1."""
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def log_mel_case(
    peers: dict[str, Any], name: str, what: str, y: np.ndarray, sr: int, hop_length: int, **amount: int
) -> Case:
    """``ln(max(mel, 1e-5))`` of 128 Slaney bands: 2048 points, power, reflected ends."""
    case = Case(name, what, **amount)
    plan = neurdsp.MelSpectrogram(
        sr=sr, n_fft=2048, hop_length=hop_length, n_mels=128, pad_mode="reflect", log="ln", floor=1e-5
    )
    case.runs["neurdsp"] = lambda: plan(y, n_threads=1)
    if name in ("d", "e"):
        case.two_threads = lambda: plan(y, n_threads=2)
    if "librosa" in peers:
        mel = peers["librosa"].feature.melspectrogram
        arguments = {"sr": sr, "n_fft": 2048, "hop_length": hop_length, "n_mels": 128, "pad_mode": "reflect"}
        case.runs["librosa"] = lambda: np.log(np.maximum(mel(y=y, **arguments), 1e-5))
    if "torch" in peers:
        torch = peers["torch"]
        samples = torch.from_numpy(y)
        window = torch.hann_window(2048)
        bank = torch.from_numpy(neurdsp.filters.mel(sr=sr, n_fft=2048, n_mels=128).astype(np.float32))

        def by_stft() -> Any:
            spectrum = torch.stft(
                samples, 2048, hop_length, window=window, pad_mode="reflect", return_complex=True
            )
            return (bank @ spectrum.abs().square()).clamp(min=1e-5).log()

        case.runs["torch"] = by_stft
        if "torchaudio" in peers:
            transform = peers["torchaudio"].transforms.MelSpectrogram(
                sr, 2048, hop_length=hop_length, n_mels=128, norm="slaney", mel_scale="slaney"
            )
            case.runs["torchaudio"] = lambda: transform(samples).clamp(min=1e-5).log()
    return case


def linear_case(peers: dict[str, Any]) -> Case:
    """The first 704 magnitudes of 1025 bins."""
    y = noise(320_000)
    case = Case("a-704", "10 s at 32 kHz, 2048/640, magnitude, first 704 bins")
    plan = neurdsp.MelSpectrogram.preset("gpt_sovits")
    case.runs["neurdsp"] = lambda: plan(y, n_threads=1)
    if "librosa" in peers:
        librosa = peers["librosa"]

        def by_librosa() -> Any:
            padded = np.pad(y, 704, mode="reflect")
            return np.abs(librosa.stft(padded, n_fft=2048, hop_length=640, center=False))[:704]

        case.runs["librosa"] = by_librosa
    if "torch" in peers:
        torch = peers["torch"]
        samples, window = torch.from_numpy(y)[None], torch.hann_window(2048)

        def by_stft() -> Any:
            padded = torch.nn.functional.pad(samples, (704, 704), mode="reflect")
            spectrum = torch.stft(padded, 2048, 640, window=window, center=False, return_complex=True)
            parts = torch.view_as_real(spectrum)
            return torch.sqrt(parts.square().sum(-1) + 1e-6)[:, :704]

        case.runs["torch"] = by_stft
    return case


def whisper_case(peers: dict[str, Any]) -> Case:
    """Whisper's log-mel spectrogram."""
    y = noise(480_000)
    case = Case("c", "Whisper: 30 s at 16 kHz, 400/160, 80 mels")
    plan = neurdsp.MelSpectrogram.preset("whisper")
    case.runs["neurdsp"] = lambda: plan(y, n_threads=1)
    if "librosa" in peers:
        mel = peers["librosa"].feature.melspectrogram
        arguments = {"sr": 16000, "n_fft": 400, "hop_length": 160, "n_mels": 80, "pad_mode": "reflect"}

        def by_librosa() -> Any:
            logs = np.log10(np.maximum(mel(y=y, **arguments), 1e-10))[:, :-1]
            return (np.maximum(logs, logs.max() - 8) + 4) / 4

        case.runs["librosa"] = by_librosa
    if "torchaudio" in peers:
        samples = peers["torch"].from_numpy(y)
        transform = peers["torchaudio"].transforms.MelSpectrogram(
            16000, 400, hop_length=160, n_mels=80, norm="slaney", mel_scale="slaney"
        )

        def by_torchaudio() -> Any:
            logs = transform(samples).clamp(min=1e-10).log10()[:, :-1]
            return (logs.maximum(logs.max() - 8) + 4) / 4

        case.runs["torchaudio"] = by_torchaudio
    if "openai-whisper" in peers:
        whisper = peers["openai-whisper"]
        case.runs["openai-whisper"] = lambda: whisper.log_mel_spectrogram(y, n_mels=80)
    if "transformers" in peers:
        extractor = peers["transformers"].WhisperFeatureExtractor()
        numpy_path = getattr(extractor, "_np_extract_fbank_features", None)
        if numpy_path is not None:
            case.runs["transformers"] = lambda: numpy_path(y[None], "cpu")
    if "kaldi-native-fbank" in peers:
        knf = peers["kaldi-native-fbank"]

        def by_kaldi() -> Any:
            options = knf.WhisperFeatureOptions()
            online = knf.OnlineWhisperFbank(options)
            online.accept_waveform(16000, y.tolist())
            online.input_finished()
            return [online.get_frame(i) for i in range(online.num_frames_ready)]

        case.runs["kaldi-native-fbank"] = by_kaldi
    return case


def stft_cases(peers: dict[str, Any]) -> list[Case]:
    """The complex transform of 30 seconds, and back."""
    y = noise(30 * 44_100)
    forward = Case("stft", "STFT: 30 s at 44.1 kHz, 2048/512, complex")
    inverse = Case("istft", "inverse STFT of the same")
    out = neurdsp.stft(y, n_threads=1)
    spectrum = out.copy()
    back = neurdsp.istft(spectrum, n_threads=1)
    forward.runs["neurdsp"] = lambda: neurdsp.stft(y, n_threads=1, out=out)
    forward.runs["neurdsp, new memory"] = lambda: neurdsp.stft(y, n_threads=1)
    inverse.runs["neurdsp"] = lambda: neurdsp.istft(spectrum, n_threads=1, out=back)
    inverse.runs["neurdsp, new memory"] = lambda: neurdsp.istft(spectrum, n_threads=1)
    if "librosa" in peers:
        librosa = peers["librosa"]
        forward.runs["librosa"] = lambda: librosa.stft(y, n_fft=2048)
        inverse.runs["librosa"] = lambda: librosa.istft(spectrum)
    if "torch" in peers:
        torch = peers["torch"]
        samples, window, complex_ = torch.from_numpy(y), torch.hann_window(2048), torch.from_numpy(spectrum)
        forward.runs["torch"] = lambda: torch.stft(
            samples, 2048, 512, window=window, pad_mode="constant", return_complex=True
        )
        inverse.runs["torch"] = lambda: torch.istft(complex_, 2048, 512, window=window)
    return [forward, inverse]


def exact_case(peers: dict[str, Any]) -> Case:
    """Case a in double precision throughout."""
    y = noise(320_000)
    double = y.astype(np.float64)
    case = Case("a-exact", "case a, transformed in float64")
    parameters = {"sr": 32000, "n_fft": 2048, "hop_length": 640, "n_mels": 128, "pad_mode": "reflect"}
    plan = neurdsp.MelSpectrogram(**parameters, log="ln", floor=1e-5, precision="exact")
    case.runs["neurdsp"] = lambda: plan(y, n_threads=1)
    if "librosa" in peers:
        mel = peers["librosa"].feature.melspectrogram
        case.runs["librosa float32"] = lambda: np.log(np.maximum(mel(y=y, **parameters), 1e-5))
        case.runs["librosa float64"] = lambda: np.log(np.maximum(mel(y=double, **parameters), 1e-5))
    return case


def cases(peers: dict[str, Any]) -> list[Case]:
    """All cases, the quick ones first."""
    a, b, d, e = noise(320_000), noise(88_200), noise(64, 88_200), noise(26_460_000)
    return [
        log_mel_case(peers, "a", "10 s at 32 kHz, 2048/640, 128 mels", a, 32000, 640),
        linear_case(peers),
        log_mel_case(peers, "b", "2 s at 44.1 kHz, 2048/512, 128 mels", b, 44100, 512),
        whisper_case(peers),
        exact_case(peers),
        *stft_cases(peers),
        log_mel_case(peers, "d", "batch of 64 clips of b", d, 44100, 512, turns=7, calls=1),
        log_mel_case(peers, "e", "10 min at 44.1 kHz, 2048/512, 128 mels", e, 44100, 512, turns=3, calls=1),
    ]


def measure(case: Case, turns: int | None, calls: int | None) -> dict[str, float]:
    """Median CPU time of a call of each contender in milliseconds; the first turn does not count."""
    times: dict[str, list[float]] = {name: [] for name in case.runs}
    for turn in range((turns or case.turns) + 1):
        for name, run in case.runs.items():
            for _ in range(calls or case.calls):
                before = time.process_time()
                run()
                spent = time.process_time() - before
                if turn:
                    times[name].append(1e3 * spent)
    return {name: statistics.median(spent) for name, spent in times.items()}


def measure_two_threads(case: Case, turns: int = 24) -> float:
    """How many times less wall time neurdsp takes on two threads than on one: least of the turns of each."""
    best = [float("inf"), float("inf")]
    for _ in range(turns):
        for index, run in enumerate((case.runs["neurdsp"], case.two_threads)):
            before = time.perf_counter()
            run()
            best[index] = min(best[index], time.perf_counter() - before)
    return best[0] / best[1]


def machine() -> dict[str, Any]:
    """What ran the measurement."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(TARGETS)}; all if none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--turns", type=int, metavar="N", help="turns of each case")
    parser.add_argument("--calls", type=int, metavar="N", help="calls of each contender in a turn")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(TARGETS):
        parser.error(f"no case is called {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    for option in ("turns", "calls"):
        if (given := getattr(arguments, option)) is not None and given < 1:
            parser.error(f"--{option} is {given}, but at least one is needed")

    peers = load_peers()
    report: dict[str, Any] = {"machine": machine(), "versions": {"neurdsp": neurdsp.__version__}, "cases": {}}
    for name, peer in peers.items():
        report["versions"][name] = getattr(peer, "__version__", "unknown")
    for case in cases(peers):
        if arguments.cases and case.name not in arguments.cases:
            continue
        medians = measure(case, arguments.turns, arguments.calls)
        own = medians["neurdsp"]
        print(f"{case.name}: {case.what}")
        for name, milliseconds in medians.items():
            target = TARGETS[case.name].get(name)
            wanted = "" if target is None else f"  (target {target:g})"
            print(f"  {name:22} {milliseconds:10.3f} ms  {milliseconds / own:8.2f} x{wanted}")
        report["cases"][case.name] = {
            "what": case.what,
            "milliseconds": medians,
            "ratios": {name: milliseconds / own for name, milliseconds in medians.items()},
            "targets": TARGETS[case.name],
        }
        if case.two_threads is not None:
            speedup = measure_two_threads(case)
            print(f"  two threads, wall time {speedup:21.2f} x less  (target 1.9)")
            report["cases"][case.name]["two_threads"] = speedup
    report["machine"]["load_after"] = machine()["load"]
    if arguments.json is not None:
        temporary = arguments.json.with_name(arguments.json.name + ".part")
        temporary.write_text(json.dumps(report, indent=2) + "\n")
        temporary.replace(arguments.json)


if __name__ == "__main__":
    main()
