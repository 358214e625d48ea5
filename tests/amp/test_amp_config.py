"""Presets and their true sizes; refusals that name the nearest."""

import pytest
from neurdsp.amp.config import (
    PRESET_ALIASES,
    WaveNetAmpConfig,
    WaveNetConfig,
    build_config,
    describe_presets,
    load_config,
)
from neurdsp.config import build, save_yaml
from neurdsp.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "n_parameters", "receptive_field"),
    [
        ("seed-16x6", 4_753, 127),
        ("seed-18x9", 8_965, 1023),
        ("seed-32x10", 31_137, 2047),
        ("seed-48x12", 83_665, 8191),
        ("8k", 4_753, 127),
        ("20k", 8_965, 1023),
        ("100k", 31_137, 2047),
        ("200k", 83_665, 8191),
        ("a1-standard", 13_802, 4093),
        ("a1-feather", 3_026, 4093),
        ("a1-nano", 842, 4093),
        ("a2-full", 12_146, 6347),
        ("a2-lite", 1_871, 6347),
        ("tiny", 1_871, 6347),
        ("light", 3_210, 6347),
        ("standard", 6_962, 6347),
        ("heavy", 12_146, 6347),
        ("real-8k", 8_128, 127),
        ("real-20k", 20_008, 1023),
        ("real-100k", 100_596, 4095),
        ("real-200k", 198_247, 8191),
    ],
)
def test_presets_have_their_true_sizes(name, n_parameters, receptive_field):
    model = load_config(name).model
    assert (model.n_parameters, model.receptive_field) == (n_parameters, receptive_field)


def test_the_spectral_preset_is_the_hybrid_loss_with_its_weights():
    config = load_config("config_spectral")
    weights = {term: weight for term, weight in config.loss.weights().items() if weight}
    assert weights == {"esr": 1.0, "pre_emphasis": 0.1, "spectral": 0.5}
    assert (config.model.channels, config.model.num_layers) == (32, 10)


def test_every_alias_and_preset_is_listed_with_a_description():
    listed = describe_presets()
    assert {alias for preset in listed for alias in preset.aliases} == set(PRESET_ALIASES)
    assert all(preset.description for preset in listed)
    assert [preset.n_parameters for preset in listed] == sorted(preset.n_parameters for preset in listed)


def wavenet(**shape):
    return build(WaveNetAmpConfig, {"model": shape})


def nam(*arrays):
    return build_config({"architecture": "nam.wavenet", "model": {"arrays": list(arrays)}})


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: load_config("seed-16x7"), "unknown preset 'seed-16x7'; did you mean 'seed-16x6'?"),
        (lambda: load_config("8k", overrides=["model.chanels=3"]), "did you mean 'channels'?"),
        (lambda: load_config("8k", overrides=["trainin.seed=3"]), "did you mean 'training'?"),
        (lambda: load_config("8k", overrides=["model.channels=0"]), "'model.channels' = 0"),
        (lambda: wavenet(num_layers=40), "the receptive field would be"),
        (lambda: nam({"channels": 2, "dilation": [1]}), "did you mean 'dilations'?"),
        (lambda: nam({"channels": 2, "dilations": [1, 2], "kernel_size": [3]}), "one for each layer"),
        (lambda: nam({"channels": 2, "dilations": [1], "layer1x1": False, "bottleneck": 1}), "must be 2"),
        (
            lambda: nam(
                {"channels": 2, "dilations": [1]}, {"channels": 3, "bottleneck": 1, "dilations": [1]}
            ),
            "set head1x1",
        ),
        (lambda: nam({"channels": 2, "dilations": [1 << 20] * 2}), "the receptive field would be"),
        (
            lambda: build(WaveNetAmpConfig, {"model": {"channels": 1024, "num_layers": 8}}),
            "parameters, at most",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(call, expected):
    with pytest.raises(ConfigError) as caught:
        call()
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_overrides_reach_every_section():
    config = load_config(
        "8k", overrides=["loss.type=hybrid", "training.learning_rate=1e-3", "data.crop_samples=64"]
    )
    assert (config.loss.type, config.training.learning_rate, config.crop_samples) == ("hybrid", 1e-3, 64)


def test_dilations_and_crops_follow_the_shape():
    assert WaveNetConfig(channels=2, num_layers=4, dilation_base=3).dilations == (1, 3, 9, 27)
    assert load_config("8k").crop_samples == 4096
    assert load_config("100k").crop_samples == 4 * 2047
    assert load_config("200k").crop_samples == 8192


@pytest.mark.parametrize("preset", ["a1-lite", "a2-full", "heavy"])
def test_a_preset_is_the_same_after_yaml(preset, tmp_path):
    config = load_config(preset)
    save_yaml(config, tmp_path / "config.yaml")
    assert load_config(file=tmp_path / "config.yaml") == config
    assert config.architecture == "nam.wavenet"
