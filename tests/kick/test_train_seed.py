"""Every stage of the preset seed runs on small data, resumes to the bit, learns, and ends in a model file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from neurdsp import modelfile
from neurdsp.errors import ConfigError, ParameterError
from neurdsp.kick import KickGenerator
from neurdsp.kick.attributes import WORDS
from neurdsp.kick.data.shards import open_prepared
from neurdsp.kick.judge.words import measured_kicks, rules_of, word_shares
from neurdsp.kick.mel.latents import load_latents
from neurdsp.kick.mel.recipe import VocabularyConfig, load_recipe
from neurdsp.kick.mel.tasks.batches import Batches
from neurdsp.kick.mel.tasks.sounds import Listener
from neurdsp.kick.mel.tasks.vocoder import VocoderTask, crop
from neurdsp.kick.mel.train import encode, load_stage, train_all, train_diffusion, train_vae
from neurdsp.kick.mel.vocabulary import build_vocabulary, words_of_kicks
from neurdsp.training import Reporter


@pytest.fixture(scope="module")
def run_of_all(prepared: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    overrides = ["vae.training.tensorboard=true", "diffusion.training.tensorboard=true"]
    overrides += ["vocoder.training.tensorboard=true", "diffusion.training.steps=2"]
    train_all(load_recipe("seed-tiny", overrides=overrides), prepared, run_dir=folder)
    return folder


def test_all_stages_end_in_a_model_file_that_proves_itself(run, prepared: Path, run_of_all: Path):
    done = run("kick", "export", run_of_all, "-o", "kick.safetensors", "--json")
    assert done.status == 0, done.err
    file = modelfile.read("kick.safetensors")
    assert file.config["keywords"]["words"] == ["deep", "hard", "high"]
    assert modelfile.verify("kick.safetensors").passed
    assert {"vae_l1", "diffusion_mse", "vocoder_mel_nats"} <= file.metrics.keys()
    latents = load_latents(run_of_all, open_prepared(prepared))
    assert np.array_equal(file.tensors["vae.latent_std"], latents.std.astype(np.float16))


def test_a_generator_makes_the_same_kicks_of_the_file_however_many_are_asked_for(run, run_of_all: Path):
    assert run("kick", "export", run_of_all, "-o", "kick.safetensors").status == 0
    generator = KickGenerator.load("kick.safetensors")
    assert list(generator.keywords) == ["deep", "hard", "high"]
    kicks = generator.generate(["deep"], negative=["high"], n=3, seed=5, steps=4, threads=2)
    assert kicks.shape == (3, 8192)
    np.testing.assert_array_equal(kicks[:1], generator.generate(["deep"], negative=["high"], seed=5, steps=4))
    assert np.abs(kicks).max(axis=1) == pytest.approx([10 ** (-1 / 20)] * 3, abs=1e-3)
    assert (kicks[:, -1] == 0).all()
    assert generator.generate(seed=5, steps=2, sample_rate=96_000, length=5_001).shape == (1, 5_001)
    for wrong, said in (
        ({"tune": 2.0}, "tune, decay"),
        ({"length": 100_000}, "length"),
        ({"steps": 0}, "steps"),
    ):
        with pytest.raises(ParameterError, match=said):
            generator.generate(**wrong)
    with pytest.raises(ParameterError, match="generate\\(\\) alone"):
        generator.generate_kicks(["deep"])
    done = run(
        "kick",
        "generate",
        "deep",
        "-m",
        "kick.safetensors",
        "-n",
        2,
        "--steps",
        2,
        "-o",
        "kicks",
        "--length",
        0.1,
        "--no-sheet",
    )
    assert done.status == 0, done.err


def test_measured_words_can_be_the_vocabulary(prepared: Path):
    data = open_prepared(prepared)
    names, measured, both = (words_of_kicks(data, source) for source in ("names", "measured", "both"))
    assert [set(a) | set(b) for a, b in zip(names, measured, strict=True)] == [{*each} for each in both]
    assert set().union(*measured) <= {word.name for word in WORDS}
    recipe = load_recipe("seed-tiny", overrides=["vocabulary.source=measured"])
    own = [(item.kit, words) for item, words in zip(data.items, measured, strict=True)]
    assert "deep" in build_vocabulary(own, recipe.vocabulary)


def test_words_that_a_measure_defines_are_judged_and_the_rest_is_left_out_in_words(
    run, prepared: Path, run_of_all: Path
):
    assert run("kick", "export", run_of_all, "-o", "kick.safetensors").status == 0
    generator = KickGenerator.load("kick.safetensors")
    data = open_prepared(prepared)
    assert generator.thresholds == pytest.approx(data.thresholds)
    rules = rules_of(generator)
    assert [*rules] == ["deep", "high"]
    quantities = np.array([item.quantities for item in data.items])
    assert rules["deep"].share(quantities) == (quantities[:, 2] < data.thresholds["deep"]).mean()
    # Both words have one quantity, and what one word makes are all the kicks that the other does not.
    shares = word_shares(generator, rules, per_word=2, seed=1)
    deep, high = (measured_kicks(generator, [word], n=2, seed=1 + k) for k, word in enumerate(rules))
    assert shares["deep"] == (rules["deep"].share(deep), rules["deep"].share(high))
    done = run("kick", "evaluate", "kick.safetensors", "--per-word", 2, "-n", 4, "--no-distances", "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["words"] == {word: own for word, (own, _) in shares.items()}
    assert (found["n_kicks"], found["pairs"], found["resynthesis_nats"]) == (4, None, None)
    assert found["hygiene"]["last_sample"] == 0
    assert "1 of 3 words, which no measure defines" in found["left_out"]
    with pytest.raises(ParameterError, match="no measure defines the keyword 'hard'"):
        generator.threshold("hard")


def test_latents_of_the_training_split_have_unit_variance(prepared: Path, run_of_all: Path):
    data = open_prepared(prepared)
    latents = load_latents(run_of_all, data)
    own = latents.unit[latents.rows("train", data)]
    assert np.abs(own.mean(axis=(0, 2, 3))).max() < 1e-4
    assert np.abs(own.std(axis=(0, 2, 3)) - 1).max() < 1e-4


def test_the_log_of_a_run_has_sounds_of_every_stage(run_of_all: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tags = set()
    for stage in ("vae", "diffusion", "vocoder"):
        tags |= set(EventAccumulator(str(run_of_all / stage / "tensorboard")).Reload().Tags()["audio"])
    assert {"reconstruction/0", "sample/deep", "vocoded/0"} <= tags


def test_averages_are_kept_of_all_networks(run_of_all: Path):
    for stage in ("vae", "diffusion", "vocoder"):
        state = torch.load(run_of_all / stage / "checkpoint.pt", weights_only=True)
        assert state["average"].keys() == state["model"].keys()


def test_another_call_does_nothing_and_other_settings_are_refused(prepared: Path, run_of_all: Path):
    weights = {stage: load_stage(run_of_all, stage)[1] for stage in ("vae", "vocoder")}
    overrides = [f"{stage}.training.tensorboard=true" for stage in ("vae", "diffusion", "vocoder")]
    recipe = load_recipe("seed-tiny", overrides=[*overrides, "diffusion.training.steps=2"])
    results = train_all(recipe, prepared, run_dir=run_of_all)
    assert [result.summary.steps for result in results] == [4, 2, 3]
    for stage, before in weights.items():
        after = load_stage(run_of_all, stage)[1]
        assert all(torch.equal(before[name], after[name]) for name in before)
    other = load_recipe("seed-tiny", overrides=[*overrides, "vae.kl_end=0.5"])
    with pytest.raises(ConfigError, match=r"the run began with vae\.kl_end = 0\.001, now it is 0\.5"):
        train_all(other, prepared, run_dir=run_of_all)


def test_a_resumed_stage_is_that_of_an_unbroken_run(prepared: Path, tmp_path: Path):
    def recipe(steps):
        return load_recipe("seed-tiny", overrides=[f"vae.training.steps={steps}"])

    train_vae(recipe(4), prepared, run_dir=tmp_path / "whole")
    train_vae(recipe(2), prepared, run_dir=tmp_path / "parts")
    train_vae(recipe(4), prepared, run_dir=tmp_path / "parts", resume=True)
    whole, parts = (
        torch.load(tmp_path / name / "vae" / "checkpoint.pt", weights_only=True)["model"]
        for name in ("whole", "parts")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_the_vae_and_the_denoiser_learn(prepared: Path, tmp_path: Path):
    overrides = ["vae.training.steps=60", "vae.training.validate_steps=60", "diffusion.training.steps=60"]
    recipe = load_recipe("seed-tiny", overrides=[*overrides, "diffusion.training.validate_steps=60"])
    results = [train_vae(recipe, prepared, run_dir=tmp_path)]
    encode(prepared, run_dir=tmp_path)
    results.append(train_diffusion(recipe, prepared, run_dir=tmp_path))
    for result, below in zip(results, (8.0, 0.9), strict=True):
        # Silence, the mean level, is about 20 away; noise that is not told at all has an error of 1.
        assert result.metrics["score"] < below, result


def test_diffusion_without_latents_says_what_to_run(prepared: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="run 'neurdsp kick encode' first"):
        train_diffusion(load_recipe("seed-tiny"), prepared, run_dir=tmp_path)
    with pytest.raises(ConfigError, match="run 'neurdsp kick train-vae' first"):
        encode(prepared, run_dir=tmp_path)
    with pytest.raises(ConfigError, match=r"differ from model\.mel of the recipe"):
        train_vae(load_recipe("seed"), prepared, run_dir=tmp_path)


def test_crops_of_audio_and_spectrogram_belong_together(prepared: Path):
    """The spectrogram of a crop of audio is the crop of the spectrogram, away from the ends."""
    data = open_prepared(prepared)
    mel, item = data.mel, data.items[0]
    first, n_frames, hop = 20, 32, mel.hop_length
    frames, samples = crop(data.audio(item), data.log_mel(item), first, n_frames, mel)
    assert frames.shape[1] * hop == len(samples)
    # The samples of a frame lie around its centre, a multiple of the hop.
    begin = first * hop - hop // 2
    assert np.array_equal(samples, data.audio(item)[begin : begin + len(samples)])
    start, _ = crop(data.audio(item), data.log_mel(item), 0, n_frames, mel)
    assert np.array_equal(start, data.log_mel(item)[:, :n_frames])
    head = crop(data.audio(item), data.log_mel(item), 0, n_frames, mel)[1]
    assert np.all(head[: hop // 2] == 0)
    assert np.array_equal(head[hop // 2 :], data.audio(item)[: len(head) - hop // 2])


def test_the_discriminators_judge_pairs_of_one_power(prepared: Path):
    """The loss of a perfect vocoder is zero in its distance of spectrograms."""
    data, stage = open_prepared(prepared), load_recipe("seed-tiny").vocoder
    listener = Listener(Reporter(), data.mel)
    task = VocoderTask(data, stage, stage.training, device=torch.device("cpu"), listener=listener)
    frames, audio = task.batch(0)
    own = task._features(audio)[..., 4:-4]
    inner = frames[..., 4:-4]
    # The crop's frames are half a hop off those of its own spectrogram; their levels agree within the decay.
    assert float((own[..., : inner.shape[-1]] - inner).abs().mean()) < 0.6


def test_each_kick_is_seen_once_in_an_epoch():
    batches = Batches(7, 3, seed=5)
    rows = [row for number in range(7) for row in batches[number]]
    assert [sorted(rows[start : start + 7]) for start in (0, 7, 14)] == 3 * [[*range(7)]]
    assert rows[:7] != rows[7:14]
    assert Batches(7, 3, seed=5)[4] == batches[4]


def test_words_of_few_kicks_of_one_kit_or_of_nearly_all_are_no_keywords():
    samples = [(kit, ("kick", "deep", kit, "everywhere")) for kit in ("a", "b", "c") for _ in range(3)]
    samples += [("a", ("rare", "everywhere"))]
    config = VocabularyConfig(min_count=3)
    assert build_vocabulary(samples, config) == ("deep",)
    with pytest.raises(ConfigError, match=r"no word has 50 kicks of 2 kits among the 10"):
        build_vocabulary(samples, VocabularyConfig(min_count=50))


def test_the_commands_run_the_stages_one_by_one(run, prepared: Path):
    for stage in ("train-vae", "encode", "train-diffusion", "train-vocoder"):
        steps = [] if stage == "encode" else ["-p", "seed-tiny", "--steps", "1"]
        done = run("kick", stage, prepared, "-r", "run", *steps, "--json")
        assert done.status == 0, done.err
        assert json.loads(done.out)
    done = run("kick", "encode", prepared, "-r", "run")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "exists already" in done.err
    assert run("kick", "encode", prepared, "-r", "run", "--overwrite").status == 0
    done = run("kick", "train-vae", prepared, "-r", "run", "--steps", "1", "--minutes", "1")
    assert (done.status, done.err.count("\n")) == (2, 1)
    done = run("kick", "train-vae", prepared, "-r", "other", "-p", "sed")
    assert done.status == 2
    assert "did you mean 'seed'" in done.err
