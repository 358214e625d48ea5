"""Converting between the model file and the JSON of earlier trainers."""

import json

import numpy as np
import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpModel
from neurdsp.errors import ModelFileError, ParameterError
from neurdsp.modelfile.reference import amp_reference


def _by_hand(n_samples: int) -> np.ndarray:
    """The impulse response of hand_made.json: its few weights leave a formula for each sample."""
    a, b = np.zeros(n_samples), np.full(n_samples, 0.5)
    a[0], a[2] = 1.0, np.tanh(0.25)
    b[0], b[1] = -0.5, 0.5 + np.tanh(0.5)
    earlier = np.concatenate([[0.5, 0.5], b[:-2]])
    return a + np.tanh(earlier) + (b + np.tanh(0.5 + 2 * a)) / 2 + 0.25


def test_json_becomes_a_file_that_proves_itself_and_plays_as_worked_out_by_hand(tmp_path, hand_made):
    target = tmp_path / "hand_made.safetensors"
    done = modelfile.convert(hand_made, target)
    assert done.lost == ()
    assert "parity vectors" in done.added[0]
    result = modelfile.verify(target)
    assert result.passed
    assert result.error_db < -120
    file = modelfile.read(target)
    assert (file.sample_rate, file.metadata["neurdsp.name"]) == (44100.0, "hand made")
    impulse = np.zeros(8, np.float32)
    impulse[0] = 1
    np.testing.assert_allclose(AmpModel.load(target).stream().process(impulse), _by_hand(8), atol=1e-6)


def test_the_reference_itself_gives_what_is_worked_out_by_hand(tmp_path, hand_made):
    target = tmp_path / "hand_made.safetensors"
    modelfile.convert(hand_made, target)
    output = amp_reference(
        modelfile.read(target).tensors, np.eye(1, 8)[0], num_layers=2, kernel_size=3, dilation_base=2
    )
    np.testing.assert_allclose(output, _by_hand(8), atol=1e-12)


def test_there_and_back_keeps_the_weights_bit_for_bit_and_says_what_is_lost(tmp_path, model_path):
    there = modelfile.convert(model_path, tmp_path / "there.json")
    assert there.lost == (
        "parity vectors",
        "neurdsp.description",
        "neurdsp.metrics",
        "neurdsp.parity_db",
        "neurdsp.producer",
    )
    document = json.loads((tmp_path / "there.json").read_text())
    assert document["model_info"] == {
        "name": "a test",
        "version": "1.0.0",
        "architecture": "WaveNet",
        "causal": True,
        "sample_rate": 48000,
        "receptive_field": 15,
        "latency_ms": 0.0,
    }
    assert document["architecture"]["dilations"] == [1, 2, 4]
    weight = document["weights"]["residual_blocks"][2]["conv_weight"]
    modelfile.convert(tmp_path / "there.json", tmp_path / "back.safetensors")
    before, after = modelfile.read(model_path), modelfile.read(tmp_path / "back.safetensors")
    np.testing.assert_array_equal(np.float32(weight), before.tensors["layers.2.conv.weight"])
    for name in before.tensors.keys() - {"parity.input", "parity.output"}:
        np.testing.assert_array_equal(after.tensors[name], before.tensors[name], strict=True)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("a.json", "b.json", "are both .json; give a target with the suffix .safetensors or .nam; an LSTM"),
        ("a.wav", "b.json", "the suffix must be one of .safetensors, .nam, .json, .aidax"),
        ("a.json", "b", "the suffix must be one of .safetensors, .nam, .json, .aidax"),
    ],
)
def test_suffixes_that_name_no_conversion_are_refused(source, target, message):
    with pytest.raises(ParameterError) as caught:
        modelfile.convert(source, target)
    assert message in str(caught.value)


def test_a_bad_source_leaves_no_target(tmp_path, hand_made):
    bad = tmp_path / "bad.json"
    bad.write_text(hand_made.read_text().replace('"causal": true', '"causal": false'))
    with pytest.raises(ModelFileError, match=r"bad\.json: model_info\.causal = false is not supported"):
        modelfile.convert(bad, tmp_path / "out.safetensors")
    assert list(tmp_path.iterdir()) == [bad]


def test_json_has_nothing_to_verify(hand_made):
    with pytest.raises(ModelFileError, match=r"hand_made\.json: the file carries no parity vectors"):
        modelfile.verify(hand_made)
