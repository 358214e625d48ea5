"""Tensors of F16, BF16 and I8 beside F32, with the safetensors package as the other reader and writer."""

import json

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpModel
from neurdsp.errors import ModelFileError, ParameterError
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

WEIGHT = "layers.1.conv.weight"


def _weights(tensors):
    return [name for name in tensors if not name.startswith("parity.")]


def test_half_precision_that_the_safetensors_package_wrote_is_read_bit_for_bit(tmp_path, metadata, tensors):
    path = tmp_path / "half.safetensors"
    half = {name: tensors[name].astype(np.float16) for name in _weights(tensors)}
    save_file(tensors | half, path, metadata)
    file = modelfile.read(path)
    for name, tensor in (tensors | half).items():
        np.testing.assert_array_equal(file.tensors[name], tensor, strict=True)
        assert file.dtypes[name] == ("F16" if name in half else "F32")


def test_half_precision_that_we_wrote_is_read_by_the_safetensors_package(tmp_path, metadata, tensors):
    path = tmp_path / "half.safetensors"
    dtypes = dict.fromkeys(_weights(tensors), "F16")
    modelfile.write(path, metadata, tensors, dtypes)
    theirs = load_file(path)
    for name in dtypes:
        np.testing.assert_array_equal(theirs[name], tensors[name].astype(np.float16), strict=True)
    # Arrays of float16 give the same bytes as float32 to be stored as F16.
    other = tmp_path / "other.safetensors"
    modelfile.write(other, metadata, tensors | {name: theirs[name] for name in dtypes})
    assert other.read_bytes() == path.read_bytes()


def test_rounding_to_half_precision_is_that_of_numpy(tmp_path, metadata, tensors):
    path = tmp_path / "rounded.safetensors"
    bits = np.random.default_rng(5).integers(0, 2**32, tensors[WEIGHT].size * 400, np.uint32)
    values = bits.view(np.float32)
    # The range of half precision with its subnormals, and the ties between neighbours.
    values = values[np.isfinite(values) & (np.abs(values) < 65_000) & (np.abs(values) > 1e-9)][:26]
    halves = np.arange(1, 0x7C00, 0x7C00 // 26, dtype=np.uint16).view(np.float16).astype(np.float32)
    ties = (halves[:-1] + np.nextafter(np.float16(halves[:-1]), np.float16(np.inf)).astype(np.float32)) / 2
    for exact in (values, ties[:26]):
        tensors["input_conv.bias"] = exact[:3]
        tensors[WEIGHT] = np.resize(exact, (3, 3, 3))
        modelfile.write(path, metadata, tensors, {WEIGHT: "F16", "input_conv.bias": "F16"})
        found = load_file(path)[WEIGHT]
        np.testing.assert_array_equal(found, tensors[WEIGHT].astype(np.float16), strict=True)


def test_bfloat16_comes_widened_and_goes_back_as_it_was(tmp_path, metadata, tensors):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as load_torch
    from safetensors.torch import save_file as save_torch

    path, again = tmp_path / "brain.safetensors", tmp_path / "again.safetensors"
    brain = {name: torch.from_numpy(tensors[name]).to(torch.bfloat16) for name in _weights(tensors)}
    parity = {name: torch.from_numpy(tensors[name]) for name in tensors if name not in brain}
    save_torch(parity | brain, path, metadata)
    file = modelfile.read(path)
    for name, tensor in brain.items():
        assert (file.dtypes[name], file.tensors[name].dtype) == ("BF16", np.float32)
        np.testing.assert_array_equal(file.tensors[name], tensor.float().numpy())
    modelfile.write(again, file.metadata, file.tensors, file.dtypes)
    # Our rounding of the original weights is torch's.
    rounded = tmp_path / "rounded.safetensors"
    modelfile.write(rounded, metadata, tensors, dict.fromkeys(brain, "BF16"))
    assert rounded.read_bytes() == again.read_bytes()
    theirs = load_torch(again)
    for name, tensor in brain.items():
        assert theirs[name].dtype == torch.bfloat16
        assert torch.equal(theirs[name], tensor)


def test_larger_types_come_first_so_that_every_tensor_is_aligned(tmp_path, metadata, tensors):
    path = tmp_path / "mixed.safetensors"
    modelfile.write(path, metadata, tensors, {"input_conv.bias": "F16", "output_conv.bias": "BF16"})
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])
    sizes = {"F32": 4, "F16": 2, "BF16": 2}
    del header["__metadata__"]
    assert {entry["dtype"] for entry in header.values()} == set(sizes)
    assert all(entry["data_offsets"][0] % sizes[entry["dtype"]] == 0 for entry in header.values())
    assert (8 + length) % 8 == 0
    with safe_open(path, "numpy") as file:
        assert file.get_slice("input_conv.bias").get_dtype() == "F16"


def test_an_amp_in_half_precision_plays_as_its_rounded_weights(tmp_path, metadata, tensors):
    half, wide = tmp_path / "half.safetensors", tmp_path / "wide.safetensors"
    rounded = {name: tensors[name].astype(np.float16) for name in _weights(tensors)}
    modelfile.write(half, metadata, tensors | rounded)
    modelfile.write(wide, metadata, tensors | {n: t.astype(np.float32) for n, t in rounded.items()})
    signal = tensors["parity.input"]
    played = [AmpModel.load(path).stream().process(signal) for path in (half, wide)]
    np.testing.assert_array_equal(*played)
    result = modelfile.verify(half)
    assert not result.passed
    assert -90 < result.error_db < -50
    assert modelfile.info(half).stored == {"F16": 100}


@pytest.mark.parametrize(
    ("change", "kind", "named"),
    [
        ({"input_conv.bias": np.zeros(3, np.int8)}, ModelFileError, "input_conv.bias is stored as I8"),
        ({"input_conv.bias": np.zeros(3, np.float64)}, ParameterError, "must be float32, float16 or int8"),
        (
            {"input_conv.bias": np.array([0, np.nan, 0], np.float16)},
            ModelFileError,
            "input_conv.bias holds NaN at index 1",
        ),
    ],
)
def test_what_an_amp_cannot_play_is_named_and_not_written(tmp_path, metadata, tensors, change, kind, named):
    with pytest.raises(kind) as caught:
        modelfile.write(tmp_path / "wrong.safetensors", metadata, tensors | change)
    assert named in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "dtypes", "kind", "named"),
    [
        (7e4, {"input_conv.bias": "F16"}, ModelFileError, "must be below 65520 in magnitude to fit F16"),
        (1.0, {"input_conv.bias": "I8"}, ModelFileError, "input_conv.bias is stored as I8"),
        (1.0, {"input_conv.bias": "F8"}, ParameterError, 'dtype of the tensor input_conv.bias is "F8"'),
        (1.0, {"inputconv.bias": "F16"}, ParameterError, "dtypes names 'inputconv.bias'"),
    ],
)
def test_a_type_that_cannot_be_stored_is_named(tmp_path, metadata, tensors, value, dtypes, kind, named):
    tensors["input_conv.bias"][1] = value
    with pytest.raises(kind) as caught:
        modelfile.write(tmp_path / "wrong.safetensors", metadata, tensors, dtypes)
    assert named in str(caught.value)
    assert not list(tmp_path.iterdir())
