"""The engine through the binding: streams, blocks, threads and errors."""

import threading
from pathlib import Path

import numpy as np
import pytest
from neurdsp import _core
from neurdsp.errors import ModelFileError, ParameterError


def seed_json(channels: int = 3, num_layers: int = 2) -> dict:
    """A small model in the JSON of the amp models, with arbitrary weights."""
    rng = np.random.default_rng(5)

    def values(*shape: int) -> list:
        return (rng.standard_normal(shape) * 0.4).tolist()

    dilations = [2**i for i in range(num_layers)]
    field = 1 + 2 * sum(dilations)
    return {
        "model_info": {
            "name": "test",
            "version": "1.0.0",
            "architecture": "WaveNet",
            "causal": True,
            "sample_rate": 48000,
            "receptive_field": field,
            "latency_ms": 0.0,
        },
        "architecture": {
            "channels": channels,
            "num_layers": num_layers,
            "kernel_size": 3,
            "dilation_base": 2,
            "dilations": dilations,
        },
        "weights": {
            "input_conv": {"weight": values(channels), "bias": values(channels)},
            "residual_blocks": [
                {
                    "layer": i,
                    "dilation": dilation,
                    "conv_weight": values(channels, channels, 3),
                    "conv_bias": values(channels),
                }
                for i, dilation in enumerate(dilations)
            ],
            "output_conv": {"weight": values(channels), "bias": values(1)},
        },
    }


@pytest.fixture
def model(tmp_path: Path) -> _core.AmpModel:
    import json

    path = tmp_path / "amp.json"
    path.write_text(json.dumps(seed_json()))
    return _core.AmpModel.load(path, None, False)


def noise(samples: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.8, 0.8, samples).astype(np.float32)


def reference(source: dict, x: np.ndarray) -> np.ndarray:
    """The definition in double precision, after one receptive field of zeros."""
    weights, shape = source["weights"], source["architecture"]
    burn_in = source["model_info"]["receptive_field"]
    x = np.concatenate([np.zeros(burn_in), x.astype(np.float64)])
    w_in = np.float32(weights["input_conv"]["weight"]).astype(np.float64)
    h = w_in[:, None] * x + np.float32(weights["input_conv"]["bias"]).astype(np.float64)[:, None]
    for block in weights["residual_blocks"]:
        w = np.float32(block["conv_weight"]).astype(np.float64)  # (out, in, k)
        reach = (shape["kernel_size"] - 1) * block["dilation"]
        padded = np.concatenate([np.repeat(h[:, :1], reach, axis=1), h], axis=1)
        taps = [padded[:, k * block["dilation"] :][:, : h.shape[1]] for k in range(shape["kernel_size"])]
        bias = np.float32(block["conv_bias"]).astype(np.float64)[:, None]
        h = h + np.tanh(sum(w[:, :, k] @ taps[k] for k in range(shape["kernel_size"])) + bias)
    out = weights["output_conv"]
    return (np.float32(out["weight"]).astype(np.float64) @ h + np.float32(out["bias"][0]))[burn_in:]


def test_a_stream_meets_the_definition_within_2e_6_of_peak(model: _core.AmpModel) -> None:
    x = noise(2000)
    expected = reference(seed_json(), x)
    error = np.abs(model.stream(48_000.0, 1, False).process(x) - expected).max() / np.abs(expected).max()
    assert error <= 2e-6


def test_the_properties_describe_the_model(model: _core.AmpModel) -> None:
    assert model.sample_rate == 48000.0
    assert model.receptive_field == 7
    assert model.latency == 0
    assert model.n_parameters == 2 * (3 * 3 * 3 + 3) + 3 * 3 + 1
    assert model.architecture == "amp.wavenet"
    assert model.metadata["neurdsp.name"] == "test"


@pytest.mark.parametrize("block", [1, 7, 64, 512])
def test_the_blocks_do_not_change_the_output(model: _core.AmpModel, block: int) -> None:
    x = noise(3000)
    whole = model.stream(48_000.0, 1, False).process(x)
    assert whole.dtype == np.float32
    stream = model.stream(48_000.0, 1, False)
    parts = [stream.process(x[i : i + block]) for i in range(0, len(x), block)]
    assert np.array_equal(np.concatenate(parts), whole)
    stream.reset()
    assert np.array_equal(stream.process(x), whole)


def test_streams_of_one_model_run_at_once_in_threads(model: _core.AmpModel) -> None:
    x = noise(20000)
    expected = model.stream(48_000.0, 1, False).process(x)
    outputs: list[np.ndarray] = []
    threads = [
        threading.Thread(
            target=lambda: outputs.append(model.stream(48_000.0, 1, False).process(x)), daemon=True
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(outputs) == 8
    assert all(np.array_equal(output, expected) for output in outputs)


@pytest.mark.parametrize(
    ("block", "names"),
    [
        (np.zeros(8), "float64"),
        (np.zeros((2, 8), np.float32), "2 dimensions"),
        (np.zeros(8, np.float32)[::2], "not contiguous"),
        ([0.0], "list"),
    ],
)
def test_a_block_that_does_not_fit_is_named(model: _core.AmpModel, block: object, names: str) -> None:
    with pytest.raises(ParameterError, match=names):
        model.stream(48_000.0, 1, False).process(block)  # type: ignore[arg-type]


def test_an_empty_block_gives_an_empty_block(model: _core.AmpModel) -> None:
    assert model.stream(48_000.0, 1, False).process(np.zeros(0, np.float32)).shape == (0,)


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="absent"):
        _core.AmpModel.load(tmp_path / "absent.safetensors", None, False)
    (tmp_path / "text").write_text("not a model")
    with pytest.raises(ModelFileError, match="text"):
        _core.AmpModel.load(tmp_path / "text", None, False)
