"""Model files through Python: round trips, proofs and refusals."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpModel
from neurdsp.errors import ModelFileError, ParameterError, UnsupportedModelError
from safetensors.numpy import load_file, save_file


def test_reading_gives_what_was_written(model_path, metadata, tensors):
    file = modelfile.read(model_path)
    assert file.metadata == metadata
    assert file.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(file.tensors[name], tensor, strict=True)
    assert (file.architecture, file.sample_rate, file.parity_db) == ("amp.wavenet", 48000.0, -100.0)
    assert file.config == {"channels": 3, "num_layers": 3, "kernel_size": 3, "dilation_base": 2}
    assert file.metrics == {"esr": 0.0125}
    assert file.producer.startswith("neurdsp ")


def test_the_bytes_depend_only_on_the_content(tmp_path, metadata, tensors, model_path):
    other = tmp_path / "other.safetensors"
    modelfile.write(other, dict(reversed(metadata.items())), dict(reversed(tensors.items())))
    assert other.read_bytes() == model_path.read_bytes()


def test_the_safetensors_package_reads_it_and_writes_what_we_read(tmp_path, model_path, metadata, tensors):
    theirs = load_file(model_path)
    np.testing.assert_array_equal(theirs["layers.2.conv.weight"], tensors["layers.2.conv.weight"])
    save_file(theirs, tmp_path / "theirs.safetensors", metadata)
    assert modelfile.verify(tmp_path / "theirs.safetensors").passed


def test_the_engine_meets_the_double_precision_reference(model_path):
    result = modelfile.verify(model_path)
    assert result.passed
    assert result.n_samples == 500
    assert result.error_db < -120


def test_a_changed_weight_fails_the_proof(tmp_path, metadata, tensors):
    tensors["layers.1.conv.bias"] = tensors["layers.1.conv.bias"] + np.float32(0.01)
    path = tmp_path / "changed.safetensors"
    modelfile.write(path, metadata, tensors)
    result = modelfile.verify(path)
    assert not result.passed
    assert result.error_db > -60


def test_info_tells_shape_size_and_rate(model_path):
    told = modelfile.info(model_path)
    assert (told.format, told.n_parameters, told.receptive_field, told.latency) == ("neurdsp 1.0", 100, 15, 0)
    assert told.metrics == {"esr": 0.0125}
    assert told.n_parameters == AmpModel.load(model_path).n_parameters


@pytest.mark.parametrize(
    ("change", "kind", "named"),
    [
        (lambda m, t: m.update({"neurdsp.format": "2.1"}), UnsupportedModelError, "reads format 2.x"),
        (lambda m, t: m.update({"neurdsp.architecture": "amp.tube"}), UnsupportedModelError, "amp.tube"),
        (lambda m, t: m.pop("neurdsp.audio"), ModelFileError, "neurdsp.audio"),
        (lambda m, t: m.update({"neurdsp.parity_db": "9"}), ModelFileError, "neurdsp.parity_db"),
        (lambda m, t: t.pop("layers.1.conv.bias"), ModelFileError, "layers.1.conv.bias is missing"),
        (lambda m, t: t.update({"extra": t["input_conv.bias"]}), ModelFileError, "tensor extra is not part"),
        (
            lambda m, t: t.update({"input_conv.bias": np.zeros(4, "f4")}),
            ModelFileError,
            "[4], but must have [3]",
        ),
        (
            lambda m, t: t.update({"input_conv.bias": np.zeros(3)}),
            ParameterError,
            "float64, but must be float32",
        ),
        (lambda m, t: t.update({"input_conv.bias": [0, 0, 0]}), ParameterError, "input_conv.bias is list"),
        (lambda m, t: t["output_conv.weight"].fill(np.nan), ModelFileError, "output_conv.weight holds NaN"),
        (lambda m, t: t.pop("parity.output"), ModelFileError, "parity.output"),
    ],
)
def test_what_is_wrong_is_named_and_not_written(tmp_path, metadata, tensors, change, kind, named):
    change(metadata, tensors)
    with pytest.raises(kind) as caught:
        modelfile.write(tmp_path / "wrong.safetensors", metadata, tensors)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_double_precision_file_is_refused_by_name(tmp_path, metadata, tensors):
    path = tmp_path / "double.safetensors"
    save_file(tensors | {"input_conv.bias": tensors["input_conv.bias"].astype(np.float64)}, path, metadata)
    with pytest.raises(
        ModelFileError, match=r"double\.safetensors: the tensor input_conv\.bias is stored as F64"
    ):
        modelfile.read(path)


def test_metrics_that_json_cannot_hold_are_refused():
    with pytest.raises(ParameterError, match="metrics cannot be written as JSON"):
        modelfile.build_metadata(
            architecture="amp.wavenet", config={}, sample_rate=48000, metrics={"esr": float("nan")}
        )


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path, metadata, tensors):
    with pytest.raises(ModelFileError, match=r"absent\.safetensors: cannot open the file"):
        modelfile.read(tmp_path / "absent.safetensors")
    with pytest.raises(FileNotFoundError, match="absent' does not exist; create it first"):
        modelfile.write(tmp_path / "absent" / "model.safetensors", metadata, tensors)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(model_path):
    before = model_path.read_bytes()
    # A limit on the size of files stands in for the disk: the write fails after some bytes.
    code = textwrap.dedent(
        """
        import resource, sys
        from neurdsp import modelfile
        from neurdsp.errors import ModelFileError
        file = modelfile.read(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            modelfile.write(sys.argv[1], file.metadata, file.tensors)
        except ModelFileError as error:
            print(error)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, model_path], capture_output=True, text=True, check=True
    )
    assert f"{model_path}: cannot write the file: File too large" in done.stdout
    assert model_path.read_bytes() == before
    assert list(model_path.parent.iterdir()) == [model_path]


def test_a_huge_claim_is_refused_within_little_memory(tmp_path, metadata):
    config = {"channels": 10**9, "num_layers": 3, "kernel_size": 3, "dilation_base": 2}
    header = {"__metadata__": metadata | {"neurdsp.config": json.dumps(config)}}
    shape = [10**9, 10**9]
    bomb = {"input_conv.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * 10**18]}}
    paths = []
    for number, content in enumerate((header, header | bomb)):
        text = json.dumps(content).encode()
        paths.append(tmp_path / f"{number}.safetensors")
        paths[-1].write_bytes(len(text).to_bytes(8, "little") + text)
    code = textwrap.dedent(
        """
        import resource, sys
        from neurdsp import modelfile
        from neurdsp.errors import ModelFileError
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + (64 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for path in sys.argv[1:]:
            try:
                modelfile.read(path)
            except ModelFileError as error:
                print(error)
        """
    )
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert "channels is 1000000000, but must be 1 to 1024" in first
    assert (
        "input_conv.weight is malformed: its shape [1000000000, 1000000000] is larger than any file" in second
    )


@pytest.mark.parametrize("kind", ["safetensors", "json"])
def test_damaged_files_load_or_raise_our_error(tmp_path, model_path, hand_made, rng, kind):
    good = np.frombuffer((model_path if kind == "safetensors" else hand_made).read_bytes(), np.uint8)
    path = tmp_path / "damaged"
    loaded, messages = 0, []
    for _ in range(500):
        damaged = good.copy()
        at = rng.integers(0, good.size, rng.integers(1, 4))
        damaged[at] ^= (1 << rng.integers(0, 8, at.size)).astype(np.uint8)
        path.write_bytes(
            damaged[: rng.choice([good.size, rng.integers(0, good.size)], p=[0.8, 0.2])].tobytes()
        )
        try:
            AmpModel.load(path).stream().process(np.zeros(16, np.float32))
            loaded += 1
        except ModelFileError as error:
            messages.append(str(error))
    assert min(loaded, len(messages)) >= 10
    assert not [message for message in messages if "\n" in message]
