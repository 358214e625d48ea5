"""Training of the band-split network: it learns, resumes bit for bit, and computes fast what it computes."""

import signal

import numpy as np
import pytest
import torch
from neurdsp.drumsep.bandsplit.config import BandSplitConfig
from neurdsp.drumsep.bandsplit.fast import accelerate, restore
from neurdsp.drumsep.bandsplit.loss import separation_loss
from neurdsp.drumsep.bandsplit.loss_config import SeparationLossConfig
from neurdsp.drumsep.bandsplit.network import BandSplitNet
from neurdsp.drumsep.bandsplit.recipe import Recipe, load_recipe
from neurdsp.drumsep.bandsplit.start import read_start
from neurdsp.drumsep.bandsplit.task import SeparationTask, mean_sdr_db
from neurdsp.drumsep.bandsplit.train import export_run, load_trained, train
from neurdsp.drumsep.data.bank import write_bank
from neurdsp.drumsep.data.render import Clip
from neurdsp.drumsep.judge.ratios import sdr_db
from neurdsp.drumsep.judge.separators import open_separator
from neurdsp.errors import ConfigError, ParameterError

TINY = [
    "training.minutes=null",
    "training.threads=1",
    "data.validation_clips=1",
    "data.validation_seconds=0.5",
]


def tiny(*settings):
    return load_recipe("tiny", overrides=[*TINY, "training.validate_steps=3", *settings])


def test_presets_are_what_they_say():
    draft = load_recipe("draft").model
    assert draft == BandSplitConfig()
    assert draft.n_parameters < 1.5e6
    assert draft.macs_per_second < 1e9
    assert load_recipe("tiny").model.n_parameters < 20_000


def test_a_few_steps_lower_the_loss(bank):
    recipe = tiny("training.steps=1")
    torch.manual_seed(0)
    network = BandSplitNet(recipe.model)
    task = SeparationTask(bank, recipe, device=torch.device("cpu"))
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = task.loss(network, 0)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.1


def test_batches_depend_on_their_number_alone_and_mix_mono_with_stereo(bank):
    recipe = tiny("training.steps=1", "data.stereo=0.5", "data.seconds=0.1")
    one, other = (SeparationTask(bank, recipe, device=torch.device("cpu")) for _ in range(2))
    shapes = set()
    for number in range(8):
        stems, mixture = one.batch(number)
        assert np.array_equal(stems, other.batch(number)[0])
        assert stems.shape == (len(mixture), 6, *mixture.shape[1:])
        shapes.add(mixture.shape[:2])
    assert shapes == {(2, 1), (1, 2)}


def test_a_run_that_was_stopped_goes_on_bit_for_bit(bank_path, tmp_path, monkeypatch):
    recipe = tiny("training.steps=6", "training.ema_decay=0.9")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train(recipe, bank_path, run_dir=whole)
    with monkeypatch.context() as patch:
        loss = SeparationTask.loss

        def interrupted(self, model, step):
            if step == 4:
                signal.raise_signal(signal.SIGTERM)
            return loss(self, model, step)

        patch.setattr(SeparationTask, "loss", interrupted)
        assert train(recipe, bank_path, run_dir=stopped).summary.stopped == "interrupted"
    assert load_trained(stopped)[1]["steps"] == 5
    train(recipe, bank_path, run_dir=stopped, resume=True)
    for which in ("average", "last", "best"):
        a, b = (load_trained(folder, which=which)[0].state_dict() for folder in (whole, stopped))
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_with_another_bank_or_another_network_is_not_resumed(
    bank_path, tmp_path, make_kit, make_performance
):
    train(tiny("training.steps=1"), bank_path, run_dir=tmp_path / "run")
    with pytest.raises(ConfigError, match=r"model\.width"):
        train(tiny("training.steps=2", "model.width=9"), bank_path, run_dir=tmp_path / "run", resume=True)
    other = tmp_path / "other.safetensors"
    splits = ("train", "validation")
    write_bank(other, [make_kit(s, s, 7) for s in splits], [make_performance(s, 1) for s in splits])
    with pytest.raises(ConfigError, match="other recordings"):
        train(tiny("training.steps=2"), other, run_dir=tmp_path / "run", resume=True)
    with pytest.raises(ParameterError, match="best, average or last"):
        load_trained(tmp_path / "run", which="first")
    with pytest.raises(ConfigError, match="keeps no average"):
        load_trained(tmp_path / "run", which="average")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.precision=float16", "float32 or bfloat16"),
        ("loss.stem_weights={hats: 2}", "names 'hats', but the stems are kick"),
    ],
)
def test_settings_that_do_not_work_are_refused_before_anything_is_written(
    bank_path, tmp_path, setting, message
):
    with pytest.raises(ConfigError, match=message):
        train(tiny("training.steps=1", setting), bank_path, run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_fast_blocks_compute_what_the_plain_ones_do():
    torch.manual_seed(0)
    network = BandSplitNet(load_recipe("tiny").model).train()
    audio = 0.1 * torch.randn(2, 2, 3000)
    wanted = network(audio)
    accelerate(network, compiled=False, dtype=torch.float32)
    assert torch.allclose(network(audio), wanted, atol=1e-6)
    accelerate(network, compiled=False)
    found = network(audio)
    error = float(((found - wanted).square().sum() / wanted.square().sum()).detach())
    assert 0 < error < 1e-3
    # Outside of training they are not used.
    assert torch.equal(network.eval()(audio), wanted)
    restore(network.train())
    assert torch.equal(network(audio), wanted)


def test_masks_and_parts_agree_and_sum_to_the_recording():
    torch.manual_seed(0)
    network = BandSplitNet(load_recipe("tiny").model).eval()
    spectrum = network.stft(0.1 * torch.randn(1, 2, 2000))
    masks, logits = network.masks(spectrum)
    parts, same = network.separate(spectrum)
    assert torch.allclose(parts.permute(1, 3, 2, 0, 4), masks * spectrum[:, None], atol=1e-5)
    assert torch.equal(same.permute(1, 3, 2, 0, 4), logits)
    assert torch.allclose(parts.sum(3), spectrum.permute(2, 0, 1, 3), atol=1e-4)


def test_every_second_frame_is_that_of_the_whole_transform():
    network = BandSplitNet(load_recipe("tiny").model)
    audio = torch.randn(1, 1, 999)
    assert torch.equal(network.stft(audio, every=2), network.stft(audio)[..., ::2, :])


def test_the_loss_of_true_stems_is_the_lowest():
    torch.manual_seed(0)
    network = BandSplitNet(load_recipe("tiny").model)
    stems = torch.zeros(1, 6, 1, 4000)
    stems[:, 0] = torch.randn(4000)
    config = SeparationLossConfig(masks=0)
    mixture = stems.sum(1)
    # With masks that give all to the kick the error is nothing, so the ratio is at its floor.
    for decoder in network.decoders:
        torch.nn.init.zeros_(decoder.weight)
        torch.nn.init.zeros_(decoder.bias)
    uniform = float(separation_loss(network, stems, mixture, config)["ratio"])
    for band, decoder in enumerate(network.decoders):
        decoder.bias.data[: network.config.n_masks(band)] = 10.0
    right = float(separation_loss(network, stems, mixture, config)["ratio"])
    sounding, silent = 1.0, 0.3 * (4 + 0.3)
    assert right == pytest.approx(np.log10(5e-5) * sounding / (sounding + silent), abs=0.05)
    assert uniform > right + 1


def test_a_stem_counts_in_the_loss_as_much_as_its_weight():
    torch.manual_seed(0)
    network = BandSplitNet(load_recipe("tiny").model)
    stems = torch.randn(1, 6, 1, 3000) * torch.tensor([3.0, 1.0, 1.0, 0.3, 0.1, 0.5])[:, None, None]

    def ratio(**weights):
        others = dict.fromkeys(("kick", "snare", "toms", "hihat", "cymbals"), 0.0)
        config = SeparationLossConfig(masks=0, residual_weight=0, stem_weights=others | weights)
        return float(separation_loss(network, stems, stems.sum(1), config)["ratio"].detach())

    kick, hihat = ratio(kick=1.0), ratio(hihat=1.0)
    assert abs(kick - hihat) > 0.3
    assert ratio(kick=1.0, hihat=3.0) == pytest.approx((kick + 3 * hihat) / 4, abs=1e-5)


def test_training_goes_on_from_the_weights_of_a_file_of_the_same_shape(bank_path, tmp_path):
    recipe = tiny("training.steps=2")
    train(recipe, bank_path, run_dir=tmp_path / "run")
    path = tmp_path / "first.safetensors"
    export_run(tmp_path / "run", path, dtype="F32", which="last")
    begin = read_start(path, recipe.model)
    slow = tiny("training.steps=1", "training.learning_rate=1e-6", "training.seed=5")
    train(slow, bank_path, run_dir=tmp_path / "on", start=begin.state, source=begin.fingerprint)
    found = load_trained(tmp_path / "on", which="last")[0].state_dict()
    assert all(torch.allclose(found[name], value, atol=1e-5) for name, value in begin.state.items())
    with pytest.raises(ConfigError, match=r"model\.width is 9, but .* has 8"):
        read_start(path, tiny("training.steps=1", "model.width=9").model)
    # The same weights again, or the run does not go on.
    with pytest.raises(ConfigError, match="other recordings"):
        train(slow, bank_path, run_dir=tmp_path / "on", resume=True)


def test_the_mean_of_validation_leaves_silent_stems_out():
    rng = np.random.default_rng(0)
    stems = np.zeros((6, 1, 1000), np.float32)
    stems[0], stems[1] = rng.standard_normal((2, 1, 1000))
    clip = Clip(stems, stems.sum(0))
    found = mean_sdr_db([clip], lambda _: 0.9 * stems, ("kick", "snare", "toms", "hihat", "cymbals"))
    assert found == pytest.approx({"kick": 20.0, "snare": 20.0}, abs=1e-4)


def test_a_run_becomes_a_file_that_the_engine_separates_with(bank_path, tmp_path):
    train(tiny("training.steps=2"), bank_path, run_dir=tmp_path / "run")
    verdict = export_run(tmp_path / "run", tmp_path / "drums.safetensors", dtype="F32", name="small")
    assert verdict.passed
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    (engine, stems), (torch_run, _) = (
        open_separator(str(tmp_path / name)) for name in ("drums.safetensors", "run")
    )
    assert stems == ("kick", "snare", "toms", "hihat", "cymbals")
    found, wanted = engine(audio, 44_100), torch_run(audio, 44_100)
    for name in stems:
        assert sdr_db(wanted[name], found[name]) > 80


def test_a_recipe_refuses_unknown_keys_in_one_line():
    with pytest.raises(ConfigError, match=r"unknown key 'data\.second'; did you mean 'seconds'"):
        load_recipe("draft", overrides=["data.second=3"])
    with pytest.raises(ConfigError, match="unknown preset 'drafty'"):
        load_recipe("drafty")
    assert isinstance(load_recipe("draft"), Recipe)


def test_a_run_that_ends_by_the_clock_exports_what_its_last_validation_chose(bank_path, tmp_path):
    recipe = load_recipe(
        "tiny",
        overrides=[*TINY, "training.minutes=0.005", "training.validate_seconds=3600", "training.seed=3"],
    )
    result = train(recipe, bank_path, run_dir=tmp_path / "run")
    torch.manual_seed(3)
    initial = BandSplitNet(recipe.model).state_dict()
    network, facts = load_trained(tmp_path / "run")
    assert not torch.equal(network.state_dict()["head.weight"], initial["head.weight"])
    assert facts["metrics"] == result.metrics
