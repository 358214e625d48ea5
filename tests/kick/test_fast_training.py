"""The `fast` preset from data to a model file that generates, in seconds, with a small network."""

import numpy as np
import pytest
import soundfile
import torch
from neurdsp import modelfile
from neurdsp.errors import ConfigError, NeurdspWarning, ParameterError
from neurdsp.kick import KickGenerator
from neurdsp.kick.attributes import WORDS
from neurdsp.kick.code import PACKED_SIZE
from neurdsp.kick.counted import kick_key, normal
from neurdsp.kick.hybrid.basis import Basis
from neurdsp.kick.hybrid.config import PartConfig, load_recipe
from neurdsp.kick.hybrid.data import fit_folder, load_kicks, recombine
from neurdsp.kick.hybrid.export import export
from neurdsp.kick.hybrid.forward import Forward
from neurdsp.kick.hybrid.train import FastRun, train
from neurdsp.kick.synth import synthesise


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kick") / "run"
    torch.set_num_threads(1)
    train(load_recipe("fast-tiny"), folder)
    return folder


@pytest.fixture(scope="module")
def model(run_dir):
    target = run_dir.parent / "tiny.safetensors"
    assert export(run_dir, target, name="tiny").passed
    return target


@pytest.fixture(scope="module")
def generator(model):
    return KickGenerator.load(model)


def test_a_basis_holds_smooth_curves_in_few_numbers():
    codes, _ = synthesise(300, seed=9)
    parts = (
        PartConfig(latent=48, size=208),
        PartConfig(latent=28, size=1248),
        PartConfig(latent=20, size=160),
    )
    basis = Basis.of(codes, np.full(300, 1 / 300), parts)
    assert basis.explained[0] > 0.97
    assert basis.explained[1] > 0.97
    latent = basis.encode(codes.packed())
    assert np.abs(basis.encode(basis.decode(latent)) - latent).max() < 1e-6


def test_the_decoder_of_a_file_is_the_basis(run_dir, model):
    run, file = FastRun.load(run_dir), modelfile.read(model)
    latent = normal(1, 5, run.recipe.shape.latent)
    forward = Forward(file.config, run.basis.tensors())
    exact = run.basis.decode(latent)
    packed = forward.decode(latent).packed()
    loose = np.abs(packed[:, :93] - np.clip(exact[:, :93], np.log(18) - 4.4, np.log(6000) - 4.4)).max()
    assert packed.shape == (5, PACKED_SIZE)
    assert loose < 1e-3


def test_the_engine_and_numpy_and_torch_make_the_same_latents(run_dir, model):
    run, file = FastRun.load(run_dir), modelfile.read(model)
    forward = Forward(file.config, file.tensors)
    words = np.zeros(len(WORDS), np.float32)
    words[3] = 1
    noise = normal(kick_key(1, 0), 4, run.recipe.shape.latent)
    condition = forward.condition(words)
    ours = forward.latents(noise, condition, 3.0)
    weights = {
        name.removeprefix("generator."): torch.from_numpy(np.array(value, np.float32))
        for name, value in file.tensors.items()
        if name.startswith("generator.")
    }
    run.student.load_state_dict(weights, strict=False)
    with torch.no_grad():
        rows = torch.from_numpy(condition).repeat(4, 1)
        theirs = run.student.generate(torch.from_numpy(noise), rows, torch.full((4,), 3.0)).numpy()
    assert np.abs(ours - theirs).max() < 1e-4
    engine = KickGenerator.load(model)._engine.latents(noise, words.tolist(), [float("nan")] * 5, 3.0)
    assert np.abs(ours - engine).max() < 1e-4


def test_kick_k_of_a_seed_is_the_same_however_many_are_made_and_on_how_many_threads(generator):
    many = generator.generate(["deep"], n=16, seed=3, length=20_000)
    for n, threads in ((1, 1), (4, 2), (16, 2)):
        assert np.array_equal(
            generator.generate(["deep"], n=n, seed=3, length=20_000, threads=threads), many[:n]
        )
    assert not np.array_equal(many[0], many[1])
    assert not np.array_equal(generator.generate(["deep"], seed=4, length=20_000)[0], many[0])


@pytest.mark.parametrize("guidance", [1.0, 8.0])
def test_guidance_neither_clips_nor_breaks(generator, guidance):
    audio = generator.generate(["punchy"], n=4, guidance=guidance)
    assert np.isfinite(audio).all()
    assert np.abs(np.abs(audio).max(axis=1) - 10 ** (-1 / 20)).max() < 1e-4
    at_peak = np.abs(audio) > 0.999 * 10 ** (-1 / 20)
    edges = [np.flatnonzero(np.diff(np.pad(row, 1).astype(int))) for row in at_peak]
    assert max((found[1::2] - found[::2]).max() for found in edges) < 200
    assert (audio[:, -1] == 0).all()


def test_an_unknown_word_is_left_out_with_a_warning_that_names_the_nearest(generator):
    with pytest.warns(NeurdspWarning, match="did you mean 'punchy'"):
        audio = generator.generate(["punchi"], length=1000)
    assert np.array_equal(audio, generator.generate(length=1000))


def test_variations_come_nearer_with_a_smaller_amount_and_are_repeatable(generator):
    kick = generator.generate_kicks(["deep"], seed=1)[0]
    same, near, far = (generator.vary(kick, amount, 1, seed=5)[0] for amount in (0.0, 0.2, 1.0))
    assert np.array_equal(same.render(length=5000), kick.render(length=5000))
    start = kick.code.packed()
    assert 0 < np.abs(near.code.packed() - start).mean() < np.abs(far.code.packed() - start).mean()
    again = generator.vary(kick, 0.2, 3, seed=5)[0]
    assert np.array_equal(again.render(length=5000), near.render(length=5000))
    assert near.keywords == ("deep",)


def test_interpolation_includes_both_ends(generator):
    a, b = generator.generate_kicks(n=2, seed=2)
    way = generator.interpolate(a, b, 5)
    assert len(way) == 5
    assert np.array_equal(way[0].render(length=5000), a.render(length=5000))
    assert np.array_equal(way[-1].render(length=5000), b.render(length=5000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"n": -1}, "n is -1"),
        ({"n": 10**9}, "n is"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "whole number"),
        ({"steps": 20}, "takes one step"),
        ({"keywords": "deep"}, "list of words"),
        ({"keywords": ["deep"], "negative": ["deep"]}, "asked for and unwanted"),
        ({"attributes": {"colour": 0.5}}, "no attribute 'colour'"),
        ({"attributes": {"pitch": 1.5}}, "from 0 to 1"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(generator, options, message):
    with pytest.raises(ParameterError, match=message) as error:
        generator.generate(**options)
    assert "\n" not in str(error.value)


def test_no_kicks_is_an_empty_array(generator):
    assert generator.generate(n=0).shape == (0, 88_200)


def test_a_run_is_not_begun_twice_nor_with_other_data(run_dir):
    with pytest.raises(ConfigError, match="holds a run already"):
        train(load_recipe("fast-tiny"), run_dir)
    with pytest.raises(ConfigError, match="other data or networks"):
        train(load_recipe("fast-tiny", overrides=["shape.width=8"]), run_dir, resume=True)
    with pytest.raises(ParameterError, match="no stage 'melody'"):
        train(load_recipe("fast-tiny"), run_dir, resume=True, stages=["melody"])


def test_an_unfinished_run_cannot_be_exported(tmp_path):
    with pytest.raises(ConfigError):
        export(tmp_path, tmp_path / "kicks.safetensors")


def test_prepared_kicks_are_levelled_and_measured(run_dir):
    kicks = load_kicks(run_dir / "data")
    assert len(kicks.measured) == 250
    assert np.isfinite(kicks.measured).all()
    assert set(kicks.source) == {"synthesis"}


def test_recombined_kicks_mix_the_parts_of_others():
    codes, _ = synthesise(6, seed=2)
    mixed = recombine(codes.take(slice(0, 3)), codes.take(slice(3, 6)), 8, seed=1)
    assert mixed.phase.shape == (8, 3)
    assert np.isfinite(mixed.flat()).all()


def test_recordings_are_fitted_in_the_order_of_their_names(tmp_path):
    t = np.arange(20_000) / 44_100
    for name in ("b", "a"):
        soundfile.write(
            tmp_path / f"{name}.wav", 0.5 * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.05), 44_100
        )
    assert [path.name for path, _ in fit_folder(tmp_path)] == ["a.wav", "b.wav"]
    with pytest.raises(ConfigError, match="holds no recordings"):
        list(fit_folder(tmp_path / "nothing"))
