"""The networks have the shapes and counts of the recipe, and a file of them proves each part."""

import numpy as np
import pytest
import torch
from neurdsp import modelfile
from neurdsp.errors import ConfigError, ModelFileError, ParameterError
from neurdsp.kick.mel.config import KeywordConfig, MelDiffusionConfig
from neurdsp.kick.mel.export import write_mel_diffusion
from neurdsp.kick.mel.networks.discriminators import Discriminators
from neurdsp.kick.mel.networks.unet import Denoiser
from neurdsp.kick.mel.networks.vae import MelVae
from neurdsp.kick.mel.networks.vocoder import HifiGan, folded_state
from neurdsp.kick.mel.recipe import DiscriminatorConfig, load_recipe

SEED = MelDiffusionConfig(keywords=KeywordConfig(words=("deep", "hard")))


def count(state):
    return sum(tensor.numel() for tensor in state.values())


def test_the_networks_of_the_seed_have_its_shapes_and_counts():
    assert load_recipe("seed").model == MelDiffusionConfig()
    vae, denoiser = MelVae(SEED.vae, SEED.mel), Denoiser(SEED)
    assert count(vae.state_dict()) == SEED.n_parameters("vae") == 4_219_241
    assert count(denoiser.unet.state_dict()) == SEED.n_parameters("unet") == 5_905_284
    assert SEED.mel.n_frames == 173
    assert SEED.latent_shape == (4, 8, 11)
    with torch.no_grad():
        found, mu, logvar = vae(torch.zeros(1, 1, 128, 173), torch.zeros(1, 4, 8, 11))
        assert (found.shape, mu.shape, logvar.shape) == ((1, 1, 128, 173), (1, 4, 8, 11), (1, 4, 8, 11))
        shapes = []
        h = torch.zeros(1, 1, 128, 173)
        for stage in vae.encoder.stages:
            h = stage(h)
            shapes.append(tuple(h.shape[1:]))
        assert shapes == [(32, 64, 87), (64, 32, 44), (128, 16, 22), (256, 8, 11)]
        noise = denoiser(torch.zeros(2, 4, 8, 11), torch.tensor([0, 999]), torch.tensor([[0.5, 0.5], [0, 0]]))
        assert noise.shape == (2, 4, 8, 11)


def test_the_vocoder_of_the_seed_has_its_counts_and_its_hop():
    vocoder = HifiGan(SEED.vocoder, 128)
    assert count(folded_state(vocoder)) == SEED.n_parameters("vocoder") == 3_650_337
    assert SEED.vocoder.hop_length == SEED.mel.hop_length == 512
    # 173 frames give 88,576 samples: half a hop before the kick, and 120 after it.
    assert (173 * 512 - 256 - 88_200, SEED.mel.lead_samples) == (120, 256)
    with torch.no_grad():
        audio = vocoder(torch.zeros(1, 128, 2))
        assert audio.shape == (1, 1024)
    both = Discriminators(DiscriminatorConfig())
    # Those of the paper: five periods and three scales.
    assert count(folded_state(both.periods)) == 41_092_165
    assert count(folded_state(both.scales)) == 29_610_627
    assert [len(features) for _, features in both(torch.zeros(1, 512))] == 5 * [6] + 3 * [8]


def test_an_impulse_in_a_frame_sounds_around_the_centre_of_the_frame():
    """The reach of a frame is symmetric around the samples that belong to it."""
    torch.manual_seed(0)
    vocoder = HifiGan(load_recipe("seed-tiny").model.vocoder, 32)
    quiet, loud = torch.zeros(1, 32, 9), torch.zeros(1, 32, 9)
    loud[..., 4] = 5.0
    with torch.no_grad():
        change = (vocoder(loud) - vocoder(quiet))[0].abs()
    touched = torch.nonzero(change > 1e-7 * change.max())[:, 0]
    middle = float(touched[0] + touched[-1]) / 2
    hop = 64
    assert abs(middle - (4.5 * hop - 0.5)) <= 1.0  # in the samples that the vocoder makes
    # Half a hop of them is dropped: the centre is then that of the frame, a multiple of the hop.
    assert abs(middle + 0.5 - hop // 2 - 4 * hop) <= 1.0


@pytest.fixture(scope="module")
def tiny():
    """Config and weights of a small model."""
    model = load_recipe("seed-tiny").model
    config = model.model_copy(update={"keywords": KeywordConfig(words=("deep", "hard"), embedding_dim=8)})
    random = np.random.default_rng(3)
    weights = {
        name: (random.standard_normal(shape) / np.sqrt(max(np.prod(shape[1:]), 1))).astype(np.float32)
        for name, shape in config.parameter_shapes.items()
    }
    weights["vae.latent_std"] = np.abs(weights["vae.latent_std"]) + 0.5
    return config, weights


@pytest.mark.parametrize("dtype", ["F32", "F16"])
def test_a_model_file_proves_every_part(tiny, tmp_path, dtype):
    config, weights = tiny
    path = tmp_path / "kick.safetensors"
    result = write_mel_diffusion(weights, config, path, dtype=dtype, name="tiny")
    assert result.passed
    file = modelfile.read(path)
    assert MelDiffusionConfig(**file.config) == config
    assert {name for name in file.tensors if not name.startswith("parity.")} == set(config.parameter_shapes)
    assert file.tensors["parity.output.audio"].shape == (16 * 64,)
    assert modelfile.verify(path).passed
    # One weight off in any part, and the file no longer proves it.
    for name in (
        "vae.decoder.input.bias",
        "unet.time.2.bias",
        "keywords.projection.bias",
        "vocoder.conv_pre.bias",
    ):
        tensors = {**file.tensors, name: file.tensors[name] + np.asarray(0.25, file.tensors[name].dtype)}
        modelfile.write(tmp_path / "other.safetensors", file.metadata, tensors, file.dtypes)
        assert not modelfile.verify(tmp_path / "other.safetensors").passed, name


def test_weights_that_do_not_fit_are_named(tiny, tmp_path):
    config, weights = tiny
    path = tmp_path / "kick.safetensors"
    with pytest.raises(ParameterError, match=r"'unet\.time\.0\.bias' is missing"):
        write_mel_diffusion({k: v for k, v in weights.items() if k != "unet.time.0.bias"}, config, path)
    with pytest.raises(ParameterError, match=r"keywords\.words is empty"):
        write_mel_diffusion(weights, config.model_copy(update={"keywords": KeywordConfig()}), path)
    with pytest.raises(ParameterError, match=r"float32 of shape \[2\], but must be float32 of shape \[16\]"):
        write_mel_diffusion({**weights, "unet.time.0.bias": np.zeros(2, np.float32)}, config, path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.vocoder.upsample_rates=[8,8]", "as many of both"),
        ("model.mel.hop_length=256", "upsample_rates multiply to 512, but must to mel.hop_length, 256"),
        ("model.vae.groups=7", "each must be a multiple of groups, 7"),
        ("vocoder.segment_samples=1000", "must be a multiple of the hop, 512"),
        ("model.keywords.words=[deep]", "words come from the data"),
        ("vae.kl_stat=1", "did you mean 'kl_start'"),
    ],
)
def test_wrong_settings_are_one_line(override, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_recipe("seed", overrides=[override])
    assert "\n" not in str(caught.value)


def test_a_file_without_a_part_is_refused(tiny, tmp_path):
    config, weights = tiny
    path = tmp_path / "kick.safetensors"
    write_mel_diffusion(weights, config, path)
    file = modelfile.read(path)
    tensors = {name: tensor for name, tensor in file.tensors.items() if name != "unet.time.0.bias"}
    modelfile.write(path, file.metadata, tensors, {k: v for k, v in file.dtypes.items() if k in tensors})
    with pytest.raises(ModelFileError, match=r"unet\.time\.0\.bias"):
        modelfile.verify(path)
