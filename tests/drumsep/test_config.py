"""The shape of MDX23C networks: the counts of the public checkpoints, their YAML files, and mistakes."""

import pytest
import yaml
from neurdsp.drumsep.config import TfcTdfConfig, read_mdx23c_yaml
from neurdsp.errors import ConfigError

PUBLIC = {
    "audio": {
        "chunk_size": 523_776,
        "dim_f": 1024,
        "dim_t": 1024,
        "hop_length": 512,
        "min_mean_abs": 0.0,
        "n_fft": 2048,
        "num_channels": 2,
        "sample_rate": 44_100,
    },
    "model": {
        "act": "gelu",
        "bottleneck_factor": 4,
        "growth": 128,
        "norm": "InstanceNorm",
        "num_blocks_per_scale": 2,
        "num_channels": 128,
        "num_scales": 5,
        "num_subbands": 4,
        "scale": (2, 2),
    },
    "training": {
        "batch_size": 8,
        "instruments": ["kick", "snare", "toms", "hh", "cymbals"],
        "target_instrument": None,
    },
    "inference": {"batch_size": 2, "dim_t": 512, "num_overlap": 4, "normalize": False},
}


def written(path, tree):
    path.write_text(yaml.dump(tree))
    return path


def changed(part, **values):
    return {**PUBLIC, part: {**PUBLIC[part], **values}}


def test_the_public_network_of_five_stems_has_its_counts():
    config = TfcTdfConfig()
    assert config.n_parameters == 109_376_576
    assert len(config.parameter_shapes) == 319
    assert config.parameter_shapes["encoder_blocks.0.tfc_tdf.blocks.0.tfc1.2.weight"] == (128, 128, 3, 3)
    assert config.parameter_shapes["bottleneck_block.blocks.1.tdf.2.weight"] == (2, 8)
    assert config.parameter_shapes["final_conv.2.weight"] == (80, 128, 1, 1)
    assert TfcTdfConfig(stems=tuple("abcdef")).parameter_shapes["final_conv.2.weight"] == (96, 128, 1, 1)


def test_a_public_yaml_with_python_tuples_is_read_as_data(tmp_path):
    path = written(tmp_path / "config.yaml", PUBLIC)
    assert "!!python/tuple" in path.read_text()
    config = read_mdx23c_yaml(path)
    assert config == TfcTdfConfig(inference_frames=512, batch_size=2)
    assert config.stems == ("kick", "snare", "toms", "hihat", "cymbals")
    assert config.chunk_for("msst") == 523_776
    assert config.chunk_for("audio-separator") == 261_632


def test_the_chunk_of_the_inference_goes_before_that_of_the_audio(tmp_path):
    tree = changed("inference", chunk_size=130_560)
    assert read_mdx23c_yaml(written(tmp_path / "c.yaml", tree)).chunk_samples == 130_560


def test_other_networks_of_the_kind_are_read(tmp_path):
    """A vocal network: a long transform, one target, three scales."""
    tree = {
        **PUBLIC,
        "audio": {**PUBLIC["audio"], "n_fft": 8192, "dim_f": 4096, "hop_length": 1024, "chunk_size": 261_120},
        "training": {"instruments": ["Vocals", "Instrumental"], "target_instrument": "Vocals"},
    }
    config = read_mdx23c_yaml(written(tmp_path / "c.yaml", tree))
    assert (config.n_fft, config.n_bins, config.stems, config.n_frames) == (8192, 4096, ("vocals",), 256)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"lr": 1}, "has no 'audio', so it does not describe an MDX23C network"),
        ({**PUBLIC, "model": {}}, "'model.num_subbands' is missing"),
        (changed("model", norm="BatchNorm"), "'model.norm' is 'BatchNorm', but only InstanceNorm"),
        (changed("model", act="swish"), "activation"),
        (changed("model", scale=[0, 2]), "both factors must be from 1 to 8"),
        (changed("model", num_channels=100_000), "channels"),
        (
            changed("audio", chunk_size=500_000),
            "977 frames, but 5 scales need a multiple of 32; take a chunk of 507392",
        ),
        (changed("audio", dim_f=1000), "n_bins is 1000, but 4 sub-bands and 5 scales need a multiple of 128"),
        (changed("audio", dim_f=2048), "n_bins is 2048, but n_fft 2048 has 1025"),
        (changed("audio", hop_length=0), "hop_length"),
        (changed("training", instruments=["kick", "kick"]), "each name may stand there once"),
        (changed("training", instruments="kick"), "must be a list of names"),
        ({**PUBLIC, "inference": 3}, "'inference' must hold keys"),
    ],
)
def test_mistakes_name_the_value_and_what_is_allowed(tmp_path, tree, message):
    with pytest.raises(ConfigError) as caught:
        read_mdx23c_yaml(written(tmp_path / "c.yaml", tree))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_yaml_that_wants_to_run_something_is_refused(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("audio: !!python/object/apply:os.system ['touch /tmp/owned']\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        read_mdx23c_yaml(path)
