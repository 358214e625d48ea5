"""The separator that ships: it proves itself, is small, and its stems sum to the recording."""

import numpy as np
from neurdsp import modelfile
from neurdsp.drumsep import DrumSeparator
from neurdsp.drumsep.data.roles import STEMS
from neurdsp.drumsep.lookup import find_network, shipped_networks


def test_the_shipped_network_is_small_and_proves_itself():
    assert "draft" in shipped_networks()
    path = find_network("draft")
    assert path.stat().st_size <= 3_000_000
    assert modelfile.verify(path).passed
    assert path.with_suffix(".md").read_text().startswith("# draft")


def test_its_stems_and_residual_sum_to_the_recording():
    rng = np.random.default_rng(0)
    audio = (0.1 * rng.standard_normal((2, 30_000))).astype(np.float32)
    stems = DrumSeparator.load("draft").separate(audio, 44_100, residual=True)
    assert set(stems) == {*STEMS, "residual"}
    error = np.sum(list(stems.values()), axis=0) - audio
    assert np.abs(error).max() < 1e-5


def test_kicks_go_to_the_kick_and_hats_to_the_hihat():
    rng, step = np.random.default_rng(1), np.arange(22_050) / 44_100
    sweep = np.sin(2 * np.pi * (50 * step + 2 * (1 - np.exp(-step / 0.01)))) * np.exp(-step / 0.07)
    kick = np.tile(sweep + 0.1 * rng.standard_normal(len(step)) * np.exp(-step / 0.002), 4)
    hiss = np.tile(rng.standard_normal(len(step)) * np.exp(-step / 0.02), 4)
    hihat = 0.1 * np.diff(hiss, n=2, prepend=[0, 0])
    separator = DrumSeparator.load("draft")
    found = separator.separate((0.4 * (kick + np.roll(hihat, 11_025))).astype(np.float32), 44_100)
    energies = {stem: float(np.square(audio).sum()) for stem, audio in found.items()}
    assert max(energies, key=energies.get) == "kick"
    high = {stem: float(np.square(np.diff(audio, n=4)).sum()) for stem, audio in found.items()}
    assert max(high, key=high.get) == "hihat"
