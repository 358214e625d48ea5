"""The drum separator in pedalboard: the mix is the sound that went in, a solo is what the engine gives."""

import base64
import hashlib
import json

import numpy as np
import pytest
from neurdsp.drumsep import DrumSeparator
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.export import write_band_split

pedalboard = pytest.importorskip("pedalboard")

CONFIG = BandSplitConfig(
    n_fft=512,
    hop_length=128,
    bands=(*[8] * 8, *[64] * 3, 1),
    n_phase_bins=64,
    width=8,
    hidden=8,
    mixer=8,
    n_blocks=1,
    head=8,
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The file of a small random network."""
    pytest.importorskip("torch")
    random = np.random.default_rng(3)
    weights = {
        name: random.normal(0, 0.4, shape).astype(np.float32)
        for name, shape in CONFIG.parameter_shapes.items()
    }
    path = tmp_path_factory.mktemp("network") / "random.safetensors"
    assert write_band_split(weights, CONFIG, path).passed
    return path


@pytest.fixture
def load(bundle, network, tmp_path):
    """A function that loads the plugin with the network."""

    def with_network(**values):
        data = network.read_bytes()
        content = base64.b64encode(data).decode()
        model = {"path": str(network), "hash": hashlib.sha256(data).hexdigest(), "content": content}
        session = json.dumps({"version": 1, "model": model})
        state = json.dumps({"version": "0.1.0", "params": {}, "fields": {"session": session}}).encode()
        container = b"VST3" + (1).to_bytes(4, "little") + b"neurdsp.DrumSep1".hex().upper().encode()
        container += (48 + len(state)).to_bytes(8, "little") + state + b"List" + (1).to_bytes(4, "little")
        container += b"Comp" + (48).to_bytes(8, "little") + len(state).to_bytes(8, "little")
        preset = tmp_path / "drums.vstpreset"
        preset.write_bytes(container)
        plugin = pedalboard.load_plugin(bundle, plugin_name="neurdsp drums")
        plugin.load_preset(str(preset))
        for name, value in values.items():
            setattr(plugin, name, value)
        return plugin

    return with_network


@pytest.fixture
def drums(rng):
    """Half a second of decaying noise, stereo."""
    time = np.arange(22_050) / 44_100
    return (0.3 * rng.standard_normal((2, time.size)) * np.exp(-20 * (time % 0.125))).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_with_all_faders_at_zero_the_mix_is_the_sound(load, drums, null_db, rate):
    plugin = load()
    for size in (64, 4096):
        played = plugin.process(drums, rate, buffer_size=size)
        assert played.shape == drums.shape
        # The host moves the sound back by the latency that the plugin reports.
        assert null_db(played, drums) < -120


@pytest.mark.parametrize("stem", ["kick", "cymbals"])
def test_a_strip_in_solo_is_what_the_engine_gives(load, network, drums, null_db, stem):
    played = load(**{f"{stem}_solo": True}).process(drums, 44_100, buffer_size=512)
    stems = DrumSeparator.load(network).separate(drums, 44_100)
    assert null_db(played, stems[stem]) < -110


def test_parameters_have_the_names_of_the_strips(load):
    names = set(load().parameters)
    strips = ("kick", "snare", "toms", "hi_hat", "cymbals", "residual")
    expected = {f"{strip}{ending}" for strip in strips for ending in ("", "_mute", "_solo")}
    assert {name.removesuffix("_db") for name in names} >= expected | {"master"}
