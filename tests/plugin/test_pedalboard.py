"""The plugin in pedalboard: it plays what the engine plays at any rate and block size, and keeps it."""

import contextlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from neurdsp.amp import PLUGIN_PARAMETERS, AmpChain, AmpModel
from neurdsp.amp.play.plugin_preset import write_plugin_preset
from neurdsp.errors import ParameterError

pedalboard = pytest.importorskip("pedalboard")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def load(bundle):
    """A function that loads the plugin with a preset."""

    def with_preset(preset=None):
        plugin = pedalboard.load_plugin(bundle, plugin_name="neurdsp")
        if preset is not None:
            plugin.load_preset(preset)
        return plugin

    return with_preset


def state_of(plugin):
    """The state as the plugin gave it: JSON, inside what the host wraps around it."""
    encoded = re.search(rb"<IComponent>([0-9]+)\.([^<]*)<", plugin.raw_state)
    size = int(encoded[1])
    alphabet = b".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"
    bits = "".join(f"{alphabet.index(character):06b}"[::-1] for character in encoded[2])
    data = bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, 8 * size, 8))
    return json.loads(data)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
def test_the_model_nulls_against_the_engine(load, preset, amp, guitar, bare, null_db, rate):
    plugin = load(preset(amp, **bare))
    played = plugin.process(guitar[None], rate, buffer_size=512)[0]
    chain = AmpChain(amp, sample_rate=rate, tone_on=False, dc_block_on=False)
    assert null_db(played, chain.render(guitar)) < -110
    if rate == 48_000:
        assert null_db(played, AmpModel.load(amp).render(guitar, sample_rate=rate)) < -110


def test_the_whole_chain_nulls_against_the_engine(load, preset, amp, guitar, tmp_path, null_db):
    import soundfile

    response = np.exp(-np.arange(500) / 90) * np.cos(np.arange(500))
    soundfile.write(tmp_path / "cabinet.flac", response, 48_000)
    plugin = load(
        preset(
            amp,
            ir=tmp_path / "cabinet.flac",
            input=3,
            gate_threshold=-50,
            bass=4,
            middle=-3,
            treble=2,
            output=-6,
            mix=0.75,
            oversampling="2x",
            output_mode="raw",
        )
    )
    chain = AmpChain(
        amp,
        ir=tmp_path / "cabinet.flac",
        oversample=2,
        input_gain_db=3,
        gate_on=True,
        gate_threshold_db=-50,
        bass_db=4,
        mid_db=-3,
        treble_db=2,
        output_gain_db=-6,
        mix=0.75,
    )
    stereo = np.stack([guitar, guitar[::-1]])
    played = plugin.process(stereo, 48_000, buffer_size=480)
    for channel, dry in zip(played, stereo, strict=True):
        assert null_db(channel, chain.render(dry)) < -110


@pytest.mark.parametrize("turned", [{}, {"gain": 0.9, "tone": 0.2}])
def test_knobs_of_a_preset_null_against_the_engine(load, preset, guitar, bare, null_db, turned):
    model = AmpModel.load("crunch").with_knobs(**turned)
    played = load(preset("crunch", knobs=turned, **bare)).process(guitar[None], 48_000, buffer_size=512)[0]
    assert null_db(played, model.render(guitar, sample_rate=48_000)) < -110
    played = load(preset("crunch", knobs=turned, bass=3)).process(guitar[None], 44_100)[0]
    settings = {"gate_on": True, "gate_threshold_db": -75, "bass_db": 3, "output_mode": "normalised"}
    chain = AmpChain(model, sample_rate=44_100, **settings)
    assert null_db(played, chain.render(guitar)) < -110


def test_knobs_that_the_host_sets_hold_from_the_first_sample(load, preset, guitar, bare, null_db):
    plugin = load(preset("crunch", **bare))
    plugin.process(guitar[None, :4800], 48_000)
    # Parameters have the names of the knobs of the model that plays.
    plugin.gain, plugin.tone = 0.9, 0.2
    played = plugin.process(guitar[None], 48_000, buffer_size=512)[0]
    expected = AmpModel.load("crunch").with_knobs(gain=0.9, tone=0.2).render(guitar, sample_rate=48_000)
    assert null_db(played, expected) < -110


def test_knobs_of_a_preset_are_those_of_its_model(preset):
    with pytest.raises(ParameterError, match="the model has no knob 'gian'; its knobs: gain, tone"):
        preset("crunch", knobs={"gian": 0.5})
    with pytest.raises(ParameterError, match="gain is 2"):
        preset("crunch", knobs={"gain": 2})
    with pytest.raises(ParameterError, match="give the model as well"):
        preset(knobs={"gain": 0.5})


def test_the_size_of_blocks_changes_nothing(load, preset, amp, guitar):
    plugin = load(preset(amp))
    whole = plugin.process(guitar[None], 48_000, buffer_size=8192)
    for size in (1, 37, 64, 441, 2048):
        np.testing.assert_array_equal(plugin.process(guitar[None], 48_000, buffer_size=size), whole)


def test_a_mono_input_gives_two_equal_channels_and_stereo_ones_are_apart(load, preset, amp, guitar):
    plugin = load(preset(amp))
    left = plugin.process(np.stack([guitar, 0 * guitar]), 48_000)
    both = plugin.process(np.stack([guitar, guitar]), 48_000)
    np.testing.assert_array_equal(left[0], both[0])
    np.testing.assert_array_equal(both[0], both[1])
    # The DC block takes a while to let go of the offset that this model has in silence.
    assert np.abs(left[1, 24_000:]).max() < 0.1 * np.abs(left[0, 24_000:]).max()


def test_bypass_passes_the_input_aligned(load, preset, amp, guitar):
    plugin = load(preset(amp, bypass=True))
    for rate in (48_000, 44_100):
        np.testing.assert_array_equal(plugin.process(guitar[None], rate)[0][: guitar.size], guitar)


def test_parameters_are_those_that_presets_can_set(load):
    fresh = state_of(load())["params"]
    kinds = {bool: "bool", float: "f32", str: "string"}
    expected = {name: {kinds[type(default)]: default} for name, (default, _) in PLUGIN_PARAMETERS.items()}
    assert fresh == expected | {"revision": {"i32": 0}}


def test_ranges_and_choices_of_presets_are_those_of_the_plugin():
    table = (ROOT / "plugin/tests/frozen/identity.txt").read_text().partition("\nid |")[2]
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines()[1:]]
    checked = set()
    for name, _, _, unit, _, _, _, least, largest in rows:
        default, allowed = PLUGIN_PARAMETERS.get(name, (None, ()))
        if isinstance(default, float):
            scale = 100 if unit == "%" else 1
            assert allowed == (float(least) / scale, float(largest) / scale), name
        elif isinstance(default, str):
            assert [allowed[0], allowed[-1]] == [least.lower(), largest.lower()], name
        checked.add(name)
    assert checked == PLUGIN_PARAMETERS.keys() | {"revision"}


def test_a_project_brings_back_the_sound_without_the_file(load, preset, amp, guitar):
    first = load(preset(amp, bass=5, gate=False))
    saved = first.raw_state
    played = first.process(guitar[None], 48_000)
    amp.unlink()
    second = load()
    assert not np.array_equal(second.process(guitar[None], 48_000), played)
    second.raw_state = saved
    np.testing.assert_array_equal(second.process(guitar[None], 48_000), played)
    assert state_of(second) == state_of(first)


def test_a_missing_large_model_passes_the_sound(load, bare, amp, guitar, tmp_path, monkeypatch):
    monkeypatch.setattr("neurdsp.amp.play.plugin_preset._MAX_EMBEDDED_BYTES", 0)
    preset = write_plugin_preset(tmp_path / "linked.vstpreset", amp, **bare)
    linked = load(str(preset)).process(guitar[None], 48_000)[0]
    np.testing.assert_array_equal(linked, AmpModel.load(amp).render(guitar, sample_rate=48_000))
    amp.write_bytes(b"another file")
    np.testing.assert_array_equal(load(str(preset)).process(guitar[None], 48_000)[0], guitar)
    amp.unlink()
    np.testing.assert_array_equal(load(str(preset)).process(guitar[None], 48_000)[0], guitar)


def test_hostile_states_leave_a_plugin_that_plays(load, preset, amp, guitar, rng, tmp_path):
    good = Path(preset(amp)).read_bytes()
    plugin = load(preset(amp))
    start = good.index(b'{"version"')
    session = json.dumps({"version": 1, "model": {"path": "/dev/zero", "hash": ""}, "cabinet": None})
    states = [
        b"",
        b"{}",
        b"\xff" * 1000,
        b"[" * 100_000,
        json.dumps(
            {"version": "9", "params": {"input": {"f32": 1e39}}, "fields": {"session": session}}
        ).encode(),
        json.dumps(
            {"params": {"input": {"bool": True}, "x": {"f32": 0}}, "fields": {"session": "{"}}
        ).encode(),
        *(good[start : rng.integers(start, len(good))] for _ in range(5)),
    ]
    for state in states:
        container = good[:40] + (48 + len(state)).to_bytes(8, "little") + state
        container += b"List" + (1).to_bytes(4, "little") + b"Comp"
        container += (48).to_bytes(8, "little") + len(state).to_bytes(8, "little")
        path = tmp_path / "hostile.vstpreset"
        path.write_bytes(container)
        with contextlib.suppress(RuntimeError):  # the host says that the plugin refused it
            plugin.load_preset(str(path))
        assert np.isfinite(plugin.process(guitar[None, :4800], 48_000)).all()
    plugin.load_preset(preset(amp))
    fresh = load(preset(amp)).process(guitar[None], 48_000)
    np.testing.assert_array_equal(plugin.process(guitar[None], 48_000), fresh)
