"""PyTorch checkpoints without torch: the values are those of torch, and a pickle can do no harm."""

import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neurdsp.errors import ModelFileError
from neurdsp.modelfile.torch_checkpoint import Opaque, read_torch_checkpoint


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def test_tensors_are_those_of_torch(tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    content = {
        "whole": base,
        "transposed": base.t(),
        "part": base[1:3, ::2],
        "half": base.half(),
        "bfloat16": base.bfloat16(),
        "whole_numbers": torch.arange(5),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
    }
    read = read_torch_checkpoint(saved(tmp_path / "x.pt", content))
    assert read.keys() == content.keys()
    for name, tensor in content.items():
        wanted = tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()
        assert read[name].shape == wanted.shape
        assert (read[name] == wanted).all()
        assert not read[name].flags.writeable


class Harmful:
    """An object whose pickle runs a command when the usual reader loads it."""

    def __reduce__(self):
        return os.mkdir, (Harmful.folder,)


def test_nothing_that_a_pickle_names_is_run(tmp_path):
    Harmful.folder = str(tmp_path / "made by the pickle")
    content = {"a": torch.ones(2), "b": Harmful(), "c": [1, "two", None, 3.0, (True, -5)]}
    read = read_torch_checkpoint(saved(tmp_path / "x.ckpt", content))
    assert not os.path.exists(Harmful.folder)
    assert read["b"] == Opaque(f"{os.name}.mkdir")
    assert read["c"] == [1, "two", None, 3.0, (True, -5)]
    assert (read["a"] == 1).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (bytes(1000), "it begins with zeros"),
        (b"<!DOCTYPE html><html>Sign in</html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"\x10\0\0\0\0\0\0\0{}", "it is a safetensors file"),
        (b"nonsense", "no archive that torch.save writes"),
        (b"PK\x03\x04nonsense", "the archive is damaged"),
    ],
)
def test_what_is_no_checkpoint_is_explained(tmp_path, content, reason):
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read_torch_checkpoint(tmp_path / "x.ckpt")
    assert reason in str(caught.value)
    assert "x.ckpt" in str(caught.value)


def test_the_old_format_is_named(tmp_path):
    saved(tmp_path / "x.ckpt", {"a": torch.ones(2)}, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelFileError, match=r"format before PyTorch 1\.6"):
        read_torch_checkpoint(tmp_path / "x.ckpt")


def archive(path, description, storages=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("x/data.pkl", description)
        for key, content in (storages or {}).items():
            file.writestr(f"x/data/{key}", content)
    return path


def tensor_pickle(shape, strides, offset=0, n_values=4, storage="torch\nFloatStorage"):
    """Write the steps of a tensor, as torch.save does, with sizes of one's own."""
    numbers = "".join(f"I{number}\n" for number in shape), "".join(f"I{number}\n" for number in strides)
    return (
        f"ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nc{storage}\nS'0'\nS'cpu'\nI{n_values}\ntQ"
        f"I{offset}\n({numbers[0]}t({numbers[1]}tI00\nNtR."
    ).encode()


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (tensor_pickle([4], [1]), None),
        (tensor_pickle([5], [1]), "reaches beyond its storage"),
        (tensor_pickle([4], [1], n_values=1 << 40), "16 bytes, but"),
        (tensor_pickle([2, 1 << 40], [1, 1]), "reaches beyond its storage"),
        (tensor_pickle([4], [-1]), "no list of sizes"),
        (tensor_pickle([4], [1], offset=3), "reaches beyond its storage"),
        (tensor_pickle([4], [1, 1]), "as many strides as axes"),
        (tensor_pickle([4], [1], storage="torch\nQInt8Storage"), "QInt8Storage, which is not known"),
        (b"", "exhausted before"),
        (b"(((", "exhausted before"),
        (b"0.", "takes more than it has made"),
        (b"h\x07.", "recalls what it has not stored"),
        (b"t.", "ends a group that it has not begun"),
        (b"K\x01K\x02s.", "takes more than it has made"),
        (b"\xff", "damaged"),
    ],
)
def test_descriptions_that_lie_are_refused(tmp_path, description, reason):
    path = archive(
        tmp_path / "x.ckpt", description.replace(b"Q", b"Q"), {"0": np.arange(4, dtype="<f4").tobytes()}
    )
    if reason is None:
        assert (read_torch_checkpoint(path) == [0, 1, 2, 3]).all()
        return
    with pytest.raises(ModelFileError) as caught:
        read_torch_checkpoint(path)
    assert reason in str(caught.value)


def test_compressed_entries_are_refused_and_so_is_what_is_missing(tmp_path):
    bomb = archive(tmp_path / "a.ckpt", pickle.dumps({"a": "b" * 10_000}), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelFileError, match=r"is compressed, which torch\.save never does"):
        read_torch_checkpoint(bomb)
    with pytest.raises(ModelFileError, match="'x/data/0' is missing"):
        read_torch_checkpoint(archive(tmp_path / "b.ckpt", tensor_pickle([4], [1])))
    with zipfile.ZipFile(tmp_path / "c.ckpt", "w") as file:
        file.writestr("readme.txt", "no checkpoint")
    with pytest.raises(ModelFileError, match=r"no data\.pkl"):
        read_torch_checkpoint(tmp_path / "c.ckpt")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    content = {"state_dict": {"a.weight": torch.randn(3, 4), "b": torch.ones(2).half()}, "epoch": 3}
    return saved(tmp_path_factory.mktemp("sample") / "x.ckpt", content)


@given(data=st.data())
@settings(max_examples=500, deadline=None)
def test_a_changed_file_is_read_or_refused_in_one_line(sample, data):
    path = sample.with_name("changed.ckpt")
    content = bytearray(sample.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    refused = ""
    try:
        read_torch_checkpoint(path)
    except ModelFileError as error:
        refused = str(error)
    assert len(refused.splitlines()) <= 1
