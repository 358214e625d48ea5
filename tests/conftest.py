"""Fixtures that several packages of tests share."""

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from neurdsp.cli import main
from safetensors.numpy import save_file

# Tests run in parallel, on networks far too small for several threads: a tiny LSTM took 30 times the CPU time
# on two threads. Torch reads this when it is imported, here and in commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed, so that a failing test fails again."""
    return np.random.default_rng(20260611)


@pytest.fixture
def files_end_at() -> Callable[[int], AbstractContextManager[None]]:
    """A context in which files end at a number of bytes: write(2) then fails as it does on a full disk."""

    @contextmanager
    def limit(n_bytes: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))  # Python ignores the signal SIGXFSZ
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit


class RandomAmp:
    """A small amp model with random weights, its file, and its output computed in float64 by numpy."""

    def __init__(self, seed: int = 0, channels: int = 4, num_layers: int = 4, sample_rate: float = 48_000.0):
        rng = np.random.default_rng(seed)
        self.channels, self.num_layers, self.sample_rate = channels, num_layers, sample_rate
        self.tensors = {
            "input_conv.weight": rng.uniform(-1, 1, (channels, 1, 1)),
            "input_conv.bias": rng.uniform(-0.1, 0.1, channels),
            "output_conv.weight": rng.uniform(-0.5, 0.5, (1, channels, 1)),
            "output_conv.bias": rng.uniform(-0.1, 0.1, 1),
        }
        for i in range(num_layers):
            self.tensors[f"layers.{i}.conv.weight"] = rng.uniform(-0.4, 0.4, (channels, channels, 3))
            self.tensors[f"layers.{i}.conv.bias"] = rng.uniform(-0.1, 0.1, channels)
        self.tensors = {name: tensor.astype(np.float32) for name, tensor in self.tensors.items()}
        self.n_parameters = sum(tensor.size for tensor in self.tensors.values())
        self.receptive_field = 1 + 2 * (2**num_layers - 1)

    def forward(self, audio: np.ndarray) -> np.ndarray:
        """The output for `audio` of shape (n,), preceded by infinitely many zeros."""
        t = {name: tensor.astype(np.float64) for name, tensor in self.tensors.items()}
        x = np.concatenate([np.zeros(self.receptive_field), audio.astype(np.float64)])
        h = t["input_conv.weight"][:, 0] * x + t["input_conv.bias"][:, None]  # (channels, n)
        for i in range(self.num_layers):
            dilation = 2**i
            # The first column is the steady state of the infinite silence before it.
            padded = np.concatenate([np.repeat(h[:, :1], 2 * dilation, axis=1), h], axis=1)
            z = t[f"layers.{i}.conv.bias"][:, None]
            for tap in range(3):
                z = z + t[f"layers.{i}.conv.weight"][:, :, tap] @ padded[:, tap * dilation :][:, : x.size]
            h = h + np.tanh(z)
        y = t["output_conv.weight"][0, :, 0] @ h + t["output_conv.bias"]
        return y[self.receptive_field :]

    def write(self, path: Path) -> Path:
        """Write the model file and its parity vectors with the safetensors package alone."""
        config = {
            "channels": self.channels,
            "num_layers": self.num_layers,
            "kernel_size": 3,
            "dilation_base": 2,
        }
        parity = np.random.default_rng(1).uniform(-1, 1, 2_048 + self.receptive_field).astype(np.float32)
        save_file(
            self.tensors | {"parity.input": parity, "parity.output": self.forward(parity).astype(np.float32)},
            path,
            metadata={
                "neurdsp.format": "1.0",
                "neurdsp.architecture": "amp.wavenet",
                "neurdsp.config": json.dumps(config),
                "neurdsp.audio": json.dumps({"sample_rate": self.sample_rate, "channels": 1}),
                "neurdsp.producer": "neurdsp tests",
                "neurdsp.metrics": json.dumps({"esr": 0.0123}),
                "neurdsp.parity_db": "-100",
                "neurdsp.name": "random",
            },
        )
        return path


@pytest.fixture(scope="session")
def random_amp() -> RandomAmp:
    """One random amp model at 48 kHz."""
    return RandomAmp()


@pytest.fixture(scope="session")
def make_amp() -> type[RandomAmp]:
    """The class, for tests that need other models."""
    return RandomAmp


@pytest.fixture
def amp_path(tmp_path: Path, random_amp: RandomAmp) -> Path:
    """The file of `random_amp`."""
    return random_amp.write(tmp_path / "amp.safetensors")


@dataclass
class Outcome:
    """Exit status and both streams of a command."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Outcome]:
    """A function that runs ``neurdsp`` with the given arguments in the folder of the test."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["neurdsp", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        return Outcome(int(caught.value.code or 0), captured.out, captured.err)

    return call
