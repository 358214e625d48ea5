"""The LSTM, ConvNet and Linear of the ``.nam`` format against double precision, on random models.

The reference is written from the description of the format, with plain loops; it shares no code with
the engine.
"""

import json

import numpy as np
import pytest
from neurdsp.amp import AmpModel

_RATE = 48_000


def _document(architecture, config, weights):
    """A ``.nam`` document; the weights are rounded to what the format's readers keep."""
    weights = np.concatenate([np.ravel(w) for w in weights]).astype(np.float32)
    return {
        "version": "0.5.4",
        "architecture": architecture,
        "config": config,
        "weights": [float(w) for w in weights],
        "sample_rate": _RATE,
    }


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _take(weights):
    values = np.asarray(weights, np.float64)
    position = 0

    def take(*shape):
        nonlocal position
        count = int(np.prod(shape))
        part = values[position : position + count].reshape(shape)
        position += count
        return part

    return take


def _random_lstm(rng, hidden, layers):
    weights = []
    for layer in range(layers):
        inputs = 1 if layer == 0 else hidden
        weights += [rng.normal(size=(4 * hidden, inputs + hidden)) / np.sqrt(hidden)]
        weights += [rng.normal(size=4 * hidden) * 0.3, rng.normal(size=hidden), rng.normal(size=hidden)]
    weights += [rng.normal(size=hidden), rng.normal(size=1)]
    return _document("LSTM", {"input_size": 1, "hidden_size": hidden, "num_layers": layers}, weights)


def _play_lstm(model, signal):
    """From the initial state through half a second of silence, as the players do."""
    hidden, layers = model["config"]["hidden_size"], model["config"]["num_layers"]
    take = _take(model["weights"])
    cells = []
    for layer in range(layers):
        inputs = 1 if layer == 0 else hidden
        cells.append([take(4 * hidden, inputs + hidden), take(4 * hidden), take(hidden), take(hidden)])
    head, bias = take(hidden), take(1)
    lead = _RATE // 2
    output = []
    for x in np.concatenate([np.zeros(lead), signal]):
        column = np.array([x])
        for cell in cells:
            weight, offset, h, c = cell
            i, f, g, o = np.split(weight @ np.concatenate([column, h]) + offset, 4)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
            cell[2:] = [h, c]
            column = h
        output.append(head @ column + bias[0])
    return np.array(output[lead:])


def _random_convnet(rng, channels, dilations, groups, batchnorm, activation):
    weights = []
    for i in range(len(dilations)):
        inputs = 1 if i == 0 else channels
        weights.append(rng.normal(size=(channels, inputs // groups, 2)) / np.sqrt(channels))
        if batchnorm:
            weights += [rng.normal(size=channels), rng.uniform(0.2, 2, channels)]
            weights += [rng.normal(size=channels), rng.normal(size=channels), [1e-3]]
        else:
            weights.append(rng.normal(size=channels))
    weights += [rng.normal(size=channels), rng.normal(size=1)]
    config = {
        "channels": channels,
        "dilations": list(dilations),
        "batchnorm": batchnorm,
        "activation": activation,
        "groups": groups,
    }
    return _document("ConvNet", config, weights)


_ACTIVATIONS = {
    "Tanh": np.tanh,
    "ReLU": lambda z: np.maximum(z, 0),
    "SiLU": lambda z: z * _sigmoid(z),
    "Softsign": lambda z: z / (1 + np.abs(z)),
}


def _play_convnet(model, signal):
    """After silence for ever: the zeros before the signal are as long as what a sample depends on."""
    config = model["config"]
    channels, groups = config["channels"], config["groups"]
    take = _take(model["weights"])
    lead = 1 + sum(config["dilations"])
    h = np.concatenate([np.zeros(lead), signal])[None]
    for i, dilation in enumerate(config["dilations"]):
        inputs = 1 if i == 0 else channels
        weight = take(channels, inputs // groups, 2)
        z = np.zeros((channels, h.shape[1]))
        for out in range(channels):
            group = out // (channels // groups)
            for k in range(inputs // groups):
                x = h[group * (inputs // groups) + k]
                z[out] += weight[out, k, 1] * x
                z[out, dilation:] += weight[out, k, 0] * x[:-dilation]
        if config["batchnorm"]:
            mean, variance, gain, offset = (take(channels)[:, None] for _ in range(4))
            z = gain * (z - mean) / np.sqrt(variance + take(1)) + offset
        else:
            z += take(channels)[:, None]
        h = _ACTIVATIONS[config["activation"]](z)
    output = take(channels) @ h + take(1)
    return output[lead:]


def _random_linear(rng, length, bias):
    taps = rng.normal(size=length) * np.exp(-np.arange(length) / (0.2 * length))
    weights = [taps, rng.normal(size=1)] if bias else [taps]
    return _document("Linear", {"receptive_field": length, "bias": bias}, weights)


def _play_linear(model, signal):
    length = model["config"]["receptive_field"]
    take = _take(model["weights"])
    output = np.convolve(signal, take(length))[: len(signal)]
    return output + (take(1)[0] if model["config"]["bias"] else 0)


_MODELS = {
    "lstm 1 x 16": (_play_lstm, lambda rng: _random_lstm(rng, 16, 1)),
    "lstm 2 x 5": (_play_lstm, lambda rng: _random_lstm(rng, 5, 2)),
    "convnet": (_play_convnet, lambda rng: _random_convnet(rng, 6, [1, 2, 4], 1, False, "Tanh")),
    "convnet, normalised": (_play_convnet, lambda rng: _random_convnet(rng, 5, [1, 7, 100], 1, True, "SiLU")),
    "linear": (_play_linear, lambda rng: _random_linear(rng, 100, True)),
    "linear by FFT": (_play_linear, lambda rng: _random_linear(rng, 9000, False)),
}


@pytest.mark.parametrize("name", _MODELS)
def test_the_engine_meets_double_precision(tmp_path, name):
    play, make = _MODELS[name]
    model = make(np.random.default_rng(3))
    path = tmp_path / "model.nam"
    path.write_text(json.dumps(model))
    signal = (
        np.random.default_rng(7).uniform(-0.7, 0.7, 12_000 if "linear" in name else 2000).astype(np.float32)
    )
    found = AmpModel.load(path).stream().process(signal)
    wanted = play(model, signal.astype(np.float64))
    error_db = 20 * np.log10(np.max(np.abs(found - wanted)) / np.max(np.abs(wanted)))
    assert error_db < -110, f"{error_db:.1f} dB"
