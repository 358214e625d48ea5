"""The cabinets and the factory presets of the plugin, by numbers: spectrum and loudness."""

import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from neurdsp.amp.play.chain import AmpChain
from scipy import signal

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "python/neurdsp/amp/shipped"
CABINETS = sorted((SHIPPED / "cabinets").glob("*.wav"))
PRESETS = json.loads((ROOT / "plugin/presets/factory.json").read_text())
SAMPLE_RATE = 48_000


def _band_db(samples, from_hz, to_hz):
    """Mean power of a response between two frequencies, in dB."""
    power = np.abs(np.fft.rfft(samples, 1 << 15)) ** 2
    frequency_hz = np.fft.rfftfreq(1 << 15, 1 / SAMPLE_RATE)
    return 10 * np.log10(power[(frequency_hz >= from_hz) & (frequency_hz < to_hz)].mean())


def _loudness_lufs(samples):
    """Gated loudness of one channel after ITU-R BS.1770-4."""
    for numerator, denominator in [
        ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]),
        ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621]),
    ]:
        samples = signal.lfilter(numerator, denominator, samples)
    length, hop = 4 * SAMPLE_RATE // 10, SAMPLE_RATE // 10
    power = np.array(
        [np.mean(samples[i : i + length] ** 2) for i in range(0, len(samples) - length + 1, hop)]
    )
    level = -0.691 + 10 * np.log10(power + 1e-20)
    power, level = power[level > -70], level[level > -70]
    return -0.691 + 10 * np.log10(power[level > 10 * np.log10(power.mean()) - 10.691].mean())


def _render(preset):
    dry, sample_rate = soundfile.read(SHIPPED / "di_clip.flac", dtype="float32")
    assert sample_rate == SAMPLE_RATE
    chain = AmpChain(
        preset["model"],
        ir=SHIPPED / "cabinets" / f"{preset['cabinet']}.wav",
        gate_on=True,
        gate_threshold_db=preset.get("gate_threshold", -75),
        bass_db=preset.get("bass", 0),
        mid_db=preset.get("middle", 0),
        treble_db=preset.get("treble", 0),
        output_gain_db=preset["output"],
    )
    if preset["knobs"]:
        chain.set_knobs(**preset["knobs"])
    chain.reset()
    return chain.render(dry)


@pytest.fixture(scope="module")
def rendered():
    return {preset["name"]: _render(preset) for preset in PRESETS}


def test_loudness_is_that_of_the_recommendation():
    # A 997 Hz sine of full scale in one channel has -3.01 LUFS by ITU-R BS.1770.
    sine = np.sin(2 * np.pi * 997 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)
    assert _loudness_lufs(sine) == pytest.approx(-3.01, abs=0.02)


def test_the_cabinets_are_those_that_the_script_makes():
    spec = importlib.util.spec_from_file_location("make_cabinets", ROOT / "scripts/make_cabinets.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert [path.stem for path in CABINETS] == sorted(script.CABINETS)
    for path in CABINETS:
        samples, sample_rate = soundfile.read(path)
        assert sample_rate == SAMPLE_RATE
        np.testing.assert_allclose(samples, script.response(script.CABINETS[path.stem]), atol=2**-22)


@pytest.mark.parametrize("path", CABINETS, ids=lambda path: path.stem)
def test_a_cabinet_has_the_band_of_a_guitar_loudspeaker(path):
    samples, _ = soundfile.read(path)
    assert samples.shape == (2048,)
    reference_db = _band_db(samples, 100, 5_000)
    assert _band_db(samples, 80, 120) > reference_db - 6
    assert _band_db(samples, 2_000, 4_000) > reference_db - 3
    assert _band_db(samples, 20, 40) < reference_db - 10
    assert _band_db(samples, 8_000, 12_000) < reference_db - 25
    assert 20 * np.log10(np.abs(samples[1_536:]).max()) < -60


def test_there_are_a_dozen_presets_with_names_of_their_own_that_use_every_amp_and_cabinet():
    assert len({preset["name"] for preset in PRESETS}) == len(PRESETS) == 12
    assert {preset["cabinet"] for preset in PRESETS} == {path.stem for path in CABINETS}
    assert {preset["model"] for preset in PRESETS} >= {"clean", "crunch", "fuzz", "highgain", "screamer"}


def test_the_presets_are_equally_loud_and_do_not_clip(rendered):
    loudness = {name: _loudness_lufs(samples) for name, samples in rendered.items()}
    assert max(loudness.values()) - min(loudness.values()) < 2, loudness
    assert all(-21 < level < -17 for level in loudness.values()), loudness
    assert max(np.abs(samples).max() for samples in rendered.values()) < 0.9


def test_the_presets_sound_through_a_loudspeaker_and_differ(rendered):
    spectra = []
    for name, samples in rendered.items():
        power = np.abs(np.fft.rfft(samples)) ** 2
        frequency_hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
        total = power.sum()
        assert 10 * np.log10(power[frequency_hz > 8_000].sum() / total) < -50, name
        assert 500 < (power * frequency_hz).sum() / total < 2_500, name
        edges = 100 * 2 ** np.arange(0, 6.5, 0.5)
        bands = [power[(frequency_hz >= a) & (frequency_hz < b)].mean() for a, b in itertools.pairwise(edges)]
        spectra.append(10 * np.log10(bands))
    for i, one in enumerate(spectra):
        for other in spectra[:i]:
            difference_db = one - other
            assert np.std(difference_db) > 1.0
