"""``convert`` with a dtype: copies in half precision that say what they lost."""

import subprocess
import sys

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.errors import ModelFileError, ParameterError


def _run(*arguments):
    command = [sys.executable, "-m", "neurdsp", "model", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("dtype", "bits"), [("F16", 11), ("BF16", 8)])
def test_a_copy_holds_the_rounded_weights_and_the_vectors_as_they_were(
    tmp_path, model_path, tensors, dtype, bits
):
    target = tmp_path / "copy.safetensors"
    done = modelfile.convert(model_path, target, dtype=dtype, parity_db=-20)
    assert done.proof == modelfile.verify(target)
    assert done.proof.passed
    # Rounded weights are off by up to half a unit of their last place.
    assert done.proof.error_db == pytest.approx(-20 * bits * np.log10(2), abs=20)
    copy, source = modelfile.read(target), modelfile.read(model_path)
    changed = 0
    for name, tensor in source.tensors.items():
        if name.startswith("parity."):
            assert copy.dtypes[name] == "F32"
            np.testing.assert_array_equal(copy.tensors[name], tensor)
        else:
            assert copy.dtypes[name] == dtype
            np.testing.assert_allclose(copy.tensors[name].astype("f4"), tensor, rtol=2.0**-bits, atol=1e-7)
            changed += np.count_nonzero(copy.tensors[name] != tensor)
    assert done.lost == (f"precision of {changed} values",)
    assert copy.metadata == source.metadata | {"neurdsp.parity_db": "-20"}
    assert target.stat().st_size < model_path.stat().st_size


def test_back_to_single_precision_nothing_is_lost(tmp_path, model_path):
    half, wide = tmp_path / "half.safetensors", tmp_path / "wide.safetensors"
    modelfile.convert(model_path, half, dtype="F16", parity_db=-40)
    done = modelfile.convert(half, wide, dtype="F32")
    assert done.lost == ()
    assert done.proof == modelfile.verify(half)
    for name, tensor in modelfile.read(half).tensors.items():
        np.testing.assert_array_equal(
            modelfile.read(wide).tensors[name], tensor.astype(np.float32), strict=True
        )
    again = tmp_path / "again.safetensors"
    assert modelfile.convert(model_path, again, dtype="F32").proof.error_db < -120
    assert again.read_bytes() == model_path.read_bytes()


def test_a_copy_that_misses_the_proof_is_not_written_and_the_way_on_is_named(tmp_path, model_path):
    target = tmp_path / "half.safetensors"
    done = _run("convert", model_path, target, "--dtype", "f16")
    assert done.returncode == 2
    assert "half.safetensors' was not written: as F16 the parity error is -" in done.stderr
    assert (
        "above the -100 dB that the file allows; to accept it, set parity_db (--parity-db) to -"
        in done.stderr
    )
    assert list(tmp_path.iterdir()) == [model_path]
    threshold = done.stderr.split()[-1]
    done = _run("convert", model_path, target, "--dtype", "f16", "--parity-db", threshold)
    assert done.returncode == 0, done.stderr
    assert f"at most {float(threshold):.1f} dB allowed" in done.stdout
    assert _run("verify", target).returncode == 0


def test_the_input_is_never_written_over(tmp_path, model_path):
    link = tmp_path / "link.safetensors"
    link.symlink_to(model_path)
    before = model_path.read_bytes()
    for target in (model_path, link):
        with pytest.raises(ParameterError, match="is the file to convert; give another name"):
            modelfile.convert(model_path, target, dtype="F16", parity_db=-20)
    assert model_path.read_bytes() == before


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("out.json", {"dtype": "F16"}, "only from .safetensors to .safetensors"),
        ("out.safetensors", {"dtype": "I8"}, "dtype is 'I8', but must be one of F32, F16, BF16"),
        ("out.json", {"parity_db": -60}, "only together with a dtype"),
        (
            "out.safetensors",
            {},
            "are both .safetensors; give a target with the suffix .nam or .json, or a dtype",
        ),
    ],
)
def test_options_that_name_no_conversion_are_refused(tmp_path, model_path, target, options, message):
    with pytest.raises(ParameterError) as caught:
        modelfile.convert(model_path, tmp_path / target, **options)
    assert message in str(caught.value)


def test_a_threshold_out_of_range_is_refused(tmp_path, model_path):
    with pytest.raises(
        ModelFileError, match=r"copy\.safetensors: the metadata key neurdsp\.parity_db is \"5\""
    ):
        modelfile.convert(model_path, tmp_path / "copy.safetensors", dtype="F16", parity_db=5)


def test_a_half_precision_amp_becomes_json_without_loss(tmp_path, model_path):
    half = tmp_path / "half.safetensors"
    modelfile.convert(model_path, half, dtype="F16", parity_db=-40)
    modelfile.convert(half, tmp_path / "half.json")
    modelfile.convert(tmp_path / "half.json", tmp_path / "back.safetensors")
    back = modelfile.read(tmp_path / "back.safetensors").tensors
    for name, tensor in modelfile.read(half).tensors.items():
        if not name.startswith("parity."):
            np.testing.assert_array_equal(back[name], tensor.astype(np.float32), strict=True)
