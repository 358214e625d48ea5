"""The separator: a converted file proves itself, and stems have the shape, rate and sum of the recording."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from neurdsp.amp.lookup import find_model
from neurdsp.audio import resample
from neurdsp.drumsep import DrumSeparator, convert_checkpoint
from neurdsp.drumsep.demix import Plan, demix
from neurdsp.drumsep.options import TIERS
from neurdsp.errors import ParameterError, UnsupportedModelError
from neurdsp.modelfile import info, parity_error_db, verify


@pytest.fixture(scope="module")
def converted(tmp_path_factory, tiny_network, tiny_config):
    """A checkpoint and its YAML, as they are found in public, and the model file made from them."""
    folder = tmp_path_factory.mktemp("converted")
    torch.save({"state_dict": tiny_network.state_dict()}, folder / "tiny.ckpt")
    c = tiny_config
    tree = {
        "audio": {
            "chunk_size": c.chunk_samples,
            "dim_f": c.n_bins,
            "hop_length": c.hop_length,
            "n_fft": c.n_fft,
            "num_channels": 2,
            "sample_rate": 44_100,
        },
        "model": {
            "act": "gelu",
            "norm": "InstanceNorm",
            "bottleneck_factor": c.bottleneck_factor,
            "growth": c.growth,
            "num_blocks_per_scale": c.n_blocks,
            "num_channels": c.channels,
            "num_scales": c.n_scales,
            "num_subbands": c.n_subbands,
            "scale": (2, 2),
        },
        "training": {"instruments": ["kick", "snare", "toms", "hh", "cymbals"], "target_instrument": None},
        "inference": {"dim_t": 24, "num_overlap": 4},
    }
    (folder / "tiny.yaml").write_text(yaml.dump(tree))
    convert_checkpoint(folder / "tiny.ckpt", folder / "tiny.yaml", folder / "tiny.safetensors")
    return folder / "tiny.safetensors"


@pytest.fixture(scope="module")
def separator(converted):
    return DrumSeparator.load(converted)


def noise(*shape):
    return np.random.default_rng(shape[-1]).uniform(-0.5, 0.5, shape).astype(np.float32)


def test_a_converted_checkpoint_proves_itself(converted, tiny_config):
    result = verify(converted)
    assert result.passed
    assert result.error_db < -85
    told = info(converted)
    assert (told.architecture, told.kind, told.n_parameters) == (
        "drumsep.tfc_tdf",
        "separator",
        tiny_config.n_parameters,
    )


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_a_file_in_half_precision_proves_itself_and_is_half_as_large(converted, tmp_path, dtype):
    folder = converted.parent
    target = tmp_path / "half.safetensors"
    assert convert_checkpoint(folder / "tiny.ckpt", folder / "tiny.yaml", target, dtype=dtype).passed
    n_parameters = info(target).n_parameters
    saved = converted.stat().st_size - target.stat().st_size
    assert saved == pytest.approx(2 * n_parameters, rel=0.05)


def test_stems_are_those_of_the_network_in_torch(separator, tiny_network, tiny_config):
    audio = noise(2, 7_000)

    def in_torch(chunks):
        with torch.inference_mode():
            return tiny_network(torch.from_numpy(chunks)).numpy()

    plan = Plan.overlapping(tiny_config.chunk_samples, 2)
    wanted = np.concatenate(list(demix(in_torch, audio, plan, 5)), axis=2)
    stems = separator.separate(audio, 44_100, tier="balanced")
    for stem, expected in zip(separator.stems, wanted, strict=True):
        assert parity_error_db(expected, stems[stem]) < -85


@pytest.mark.parametrize("tier", [*TIERS][:3])
@pytest.mark.parametrize("n_samples", [1, 100, 992, 1983, 1984, 1985, 9_999])
def test_stems_are_finite_and_as_long_as_the_recording(separator, tier, n_samples):
    for audio in (noise(n_samples), noise(1, n_samples), noise(2, n_samples)):
        stems = separator.separate(audio, 44_100, tier=tier)
        assert list(stems) == ["kick", "snare", "toms", "hihat", "cymbals"]
        for stem in stems.values():
            assert (stem.shape, stem.dtype) == (audio.shape, np.float32)
            assert np.isfinite(stem).all()


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 44_056, 96_000])
def test_other_rates_come_back_at_their_rate_and_length(separator, rate):
    audio = noise(2, 5_001)
    stems = separator.separate(audio, rate)
    assert {stem.shape for stem in stems.values()} == {audio.shape}
    at_own_rate = np.stack([resample(channel, rate, 44_100) for channel in audio])
    wanted = separator.separate(at_own_rate, 44_100)["kick"]
    back = np.stack([resample(channel, 44_100, rate) for channel in wanted])
    n = min(back.shape[1], 5_001)
    assert np.array_equal(stems["kick"][:, :n], back[:, :n])


def test_stems_and_residual_sum_to_the_recording(separator):
    audio = noise(2, 5_000)
    stems = separator.separate(audio, 44_100, residual=True)
    assert list(stems)[-1] == "residual"
    total = np.sum([stem.astype(np.float64) for stem in stems.values()], axis=0)
    assert parity_error_db(audio.astype(np.float64), total) < -120


def test_silence_is_exactly_silent_and_costs_nothing(separator, monkeypatch):
    calls = []
    stems = separator.separate(np.zeros((2, 30_000)), 44_100, progress=lambda *counts: calls.append(counts))
    assert all((stem == 0).all() for stem in stems.values())
    assert calls[-1][0] == calls[-1][1] == len(calls)


def test_the_result_does_not_depend_on_threads_and_some_stems_are_those_of_all(separator):
    audio = noise(2, 6_000)
    stems = separator.separate(audio, 44_100, threads=1)
    again = separator.separate(audio, 44_100, threads=2, stems=["snare", "kick"])
    assert list(again) == ["snare", "kick"]
    assert np.array_equal(again["kick"], stems["kick"])
    assert np.array_equal(again["snare"], stems["snare"])


def test_the_chunks_of_audio_separator_are_shorter(separator, tiny_config):
    assert separator.config.chunk_for("audio-separator") == 23 * tiny_config.hop_length
    stems = separator.separate(noise(2, 5_000), 44_100, compat="audio-separator", overlap=4)
    assert stems["kick"].shape == (2, 5_000)


def test_mistakes_are_named(separator, converted):
    audio = noise(2, 3_000)
    for options, message in (
        ({"tier": "best"}, "tier is 'best', but must be one of exact, balanced, fast, turbo and draft"),
        ({"tier": "draft"}, "is an MDX23C network; choose exact, balanced, fast or turbo"),
        ({"stems": ["bass"]}, r"stems is \['bass'\], but must name some of kick, snare"),
        ({"stems": []}, "must name some of"),
        ({"overlap": 0}, "overlap is 0"),
        ({"overlap": 10_000}, "choose fewer overlaps"),
        ({"threads": 0}, "threads is 0"),
        ({"compat": "uvr"}, "compat is 'uvr'"),
    ):
        with pytest.raises(ParameterError, match=message):
            separator.separate(audio, 44_100, **options)
    with pytest.raises(ParameterError, match="has 6 channels, but one or two"):
        separator.separate(noise(6, 3_000), 44_100)
    with pytest.raises(ParameterError, match="nan"):
        separator.separate(np.full((2, 3_000), np.nan), 44_100)
    amp = find_model("ts9")
    with pytest.raises(UnsupportedModelError, match=r"ts9.* holds amp\."):
        DrumSeparator.load(amp)


def test_separating_imports_no_torch(converted):
    code = (
        "import sys, json, numpy as np; from neurdsp.drumsep import DrumSeparator\n"
        f"separator = DrumSeparator.load({str(converted)!r})\n"
        "stems = separator.separate(np.full((2, 4000), 0.1, np.float32), 44100)\n"
        "print(json.dumps([sorted(stems), 'torch' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["cymbals", "hihat", "kick", "snare", "toms"], False]


def test_half_of_the_samples_have_half_of_the_chunks(tiny_config):
    chunks = [
        Plan.overlapping(523_776, 8).n_chunks(44_100 * 180),
        Plan.one_pass(523_776).n_chunks(44_100 * 180),
    ]
    assert chunks == [129, 17]
    assert math.isclose(chunks[0] / chunks[1], 7.6, rel_tol=0.01)
