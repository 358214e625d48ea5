"""``neurdsp model convert`` of checkpoints: which YAML file it takes, and what it says of other files."""

import pickle
import zipfile

import numpy as np
import pytest
import yaml
from neurdsp.drumsep import DrumSeparator
from neurdsp.drumsep.config import TfcTdfConfig
from neurdsp.drumsep.conversion import find_config
from neurdsp.errors import ConfigError
from neurdsp.modelfile import read, verify
from safetensors.numpy import save_file


def tree_of(config, **inference):
    return {
        "audio": {
            "chunk_size": config.chunk_samples,
            "dim_f": config.n_bins,
            "hop_length": config.hop_length,
            "n_fft": config.n_fft,
            "num_channels": config.audio_channels,
            "sample_rate": config.sample_rate,
        },
        "model": {
            "act": "gelu",
            "norm": "InstanceNorm",
            "bottleneck_factor": config.bottleneck_factor,
            "growth": config.growth,
            "num_blocks_per_scale": config.n_blocks,
            "num_channels": config.channels,
            "num_scales": config.n_scales,
            "num_subbands": config.n_subbands,
            "scale": (2, 2),
        },
        "training": {"instruments": list(config.stems), "target_instrument": None},
        "inference": {"dim_t": 24, "num_overlap": 4, **inference},
    }


@pytest.fixture
def place(tmp_path, tiny_file, tiny_config):
    """A checkpoint as safetensors, and its YAML file, with tuples as Python writes them."""
    tensors = read(tiny_file).tensors
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith("parity.")}
    save_file(weights, tmp_path / "net.safetensors")
    (tmp_path / "config_mdx23c.yaml").write_text(yaml.dump(tree_of(tiny_config, batch_size=3)))
    (tmp_path / "other.yaml").write_text("name: no network\n")
    return tmp_path


@pytest.mark.parametrize("dtype", [None, "f16", "bf16"])
def test_a_checkpoint_becomes_a_file_that_proves_itself(run, place, dtype):
    more = [] if dtype is None else ["--dtype", dtype]
    done = run("model", "convert", "net.safetensors", "drums.safetensors", *more)
    assert done.status == 0, done.err
    assert "config_mdx23c.yaml" in done.out
    assert verify(place / "drums.safetensors").passed
    separator = DrumSeparator.load(place / "drums.safetensors")
    assert (separator.config.n_overlaps, separator.config.batch_size) == (4, 3)
    stored = {
        kind
        for name, kind in read(place / "drums.safetensors").dtypes.items()
        if not name.startswith("parity")
    }
    assert stored == {(dtype or "f32").upper()}


def test_the_yaml_file_is_found_by_name_or_because_it_is_the_only_one(place, tiny_config):
    assert find_config(place / "net.safetensors").name == "config_mdx23c.yaml"
    text = (place / "config_mdx23c.yaml").read_text()
    (place / "second.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_config(place / "net.safetensors")
    assert "does not say which of 'config_mdx23c.yaml', 'second.yml' belongs to it" in str(caught.value)
    (place / "net.yaml").write_text(text)
    assert find_config(place / "net.safetensors").name == "net.yaml"
    for name in ("net.yaml", "second.yml", "config_mdx23c.yaml"):
        (place / name).unlink()
    with pytest.raises(ConfigError, match=r"no file beside .* says what network it holds; give the YAML"):
        find_config(place / "net.safetensors")


def test_five_stems_with_a_yaml_of_six_name_the_mismatch(run, place, tiny_config):
    six = TfcTdfConfig(
        **{**tiny_config.model_dump(), "stems": ("kick", "snare", "toms", "hihat", "ride", "crash")}
    )
    (place / "six.yaml").write_text(yaml.dump(tree_of(six)))
    done = run("model", "convert", "net.safetensors", "drums.safetensors", "--config", "six.yaml")
    assert done.status == 2
    assert "its last layer has 80 rows, for 5 stems, but 6 stems" in done.err
    assert "need 96" in done.err
    assert not (place / "drums.safetensors").exists()


class Shell:
    """What a hostile pickle would run."""

    def __reduce__(self):
        return (eval, ("open('owned', 'w').write('x')",))


def hostile(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"state_dict": Shell()}, protocol=2))
        archive.writestr("archive/version", "3\n")


BROKEN = {
    "page.ckpt": (
        lambda path: path.write_bytes(b"<!DOCTYPE html><html>Sign in</html>"),
        "it is a web page, not the file",
    ),
    "zeros.ckpt": (lambda path: path.write_bytes(bytes(4096)), "begins with zeros, so a download was broken"),
    "empty.pth": (lambda path: path.write_bytes(b""), "it is empty; download it again"),
    "hostile.ckpt": (hostile, "holds no MDX23C network"),
    "weights.safetensors": (
        lambda path: save_file({"weight": np.zeros(3, np.float32)}, path),
        "holds no MDX23C network: it has no tensor 'first_conv.weight'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_checkpoint_is_explained_and_nothing_of_it_is_run(run, place, name):
    write, message = BROKEN[name]
    write(place / name)
    done = run("model", "convert", name, "drums.safetensors", "--config", "config_mdx23c.yaml")
    assert done.status == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (place / "drums.safetensors").exists()
    assert not (place / "owned").exists()


def test_other_mistakes_are_one_line(run, place):
    for arguments, message in (
        (
            ["net.safetensors", "drums.nam"],
            "a checkpoint becomes a model file, so the suffix is .safetensors",
        ),
        (["net.safetensors", "net.safetensors"], "is also an input"),
        (["net.safetensors", "x.safetensors", "--parity-db", "-60"], "for which parity_db cannot be given"),
        (["absent.ckpt", "x.safetensors"], "absent.ckpt"),
        (["net.safetensors", "x.safetensors", "--config", "other.yaml"], "has no 'audio'"),
    ):
        done = run("model", "convert", *arguments)
        assert done.status == 2
        assert message in done.err, done.err
        assert done.err.count("\n") == 1
