"""Whatever is wrong with a file or a value, the message is one line that never names a type of the code."""

import json
import re

import pytest
from neurdsp import modelfile
from neurdsp.amp import AmpModel
from neurdsp.amp.config import build_config
from neurdsp.amp.lookup import find_model
from neurdsp.config import apply_overrides, load_preset, load_yaml, parse_yaml
from neurdsp.errors import NeurdspError

_FORBIDDEN = re.compile(
    r"struct |enum |::|unwrap|panicked|Traceback|\b[A-Z][a-z]+(?:[A-Z][a-z]+)*(?:In|Out)\b|\busize\b"
    r"|\b[uif](?:8|16|32|64)\b|invalid type|expected a borrowed|pydantic|NoneType|<class|Optional\["
    r"|ForwardRef|ValidationError|object at 0x"
)


def _check(error):
    text = str(error)
    assert not _FORBIDDEN.search(text), text
    assert "\n" not in text, text


def _mutations(tree):
    """Every value of a document replaced by one of each other type, and every key removed or misspelt."""
    others = [None, True, -1, 1.5, 1e308, "text", "nan", [], [[0]], {}, {"a": 1}]

    def walk(node, put):
        for other in others:
            put(other)
            yield
        put(node)
        if isinstance(node, dict):
            for key in list(node):
                value = node.pop(key)
                yield
                node[f"{key}x"] = value
                yield
                del node[f"{key}x"]
                node[key] = value
                yield from walk(value, lambda new, key=key: node.__setitem__(key, new))
        elif isinstance(node, list):
            for index in range(min(2, len(node))):
                yield from walk(node[index], lambda new, index=index: node.__setitem__(index, new))

    root = [tree]
    for _ in walk(tree, lambda new: root.__setitem__(0, new)):
        yield root[0]


def _lstm(hidden=1):
    rows = [[0.1] * hidden] * (4 * hidden)
    return {
        "model_data": {"input_size": 1, "skip": 1, "output_size": 1, "unit_type": "LSTM", "num_layers": 1,
                       "hidden_size": hidden},
        "state_dict": {"rec.weight_ih_l0": [[0.1]] * (4 * hidden), "rec.weight_hh_l0": rows,
                       "rec.bias_ih_l0": [0.1] * 4 * hidden, "rec.bias_hh_l0": [0.1] * 4 * hidden,
                       "lin.weight": [[0.1] * hidden], "lin.bias": [0.1]},
    }  # fmt: skip


def _aidax():
    lstm = {"type": "lstm", "activation": "", "shape": [None, None, 1]}
    dense = {"type": "dense", "activation": "", "shape": [None, None, 1], "weights": [[[0.5]], [0.1]]}
    layers = [lstm | {"weights": [[[0.1] * 4], [[0.1] * 4], [0.1] * 4]}, dense]
    return {"in_shape": [None, None, 1], "in_skip": 1, "samplerate": 48_000, "metadata": {}, "layers": layers}


def _nam():
    config = {"receptive_field": 2, "bias": False}
    return {"version": "0.5.4", "architecture": "Linear", "config": config, "weights": [1, 2], "metadata": {}}


@pytest.mark.parametrize("make", [_lstm, _aidax, _nam])
def test_models_in_json(make, tmp_path):
    path = tmp_path / "model.json"
    refused = 0
    for document in _mutations(make()):
        path.write_text(json.dumps(document))
        for read in (AmpModel.load, modelfile.info):
            try:
                read(path)
            except NeurdspError as error:
                _check(error)
                refused += 1
    assert refused > 100


def test_text_that_is_no_json(tmp_path):
    path = tmp_path / "model.nam"
    text = json.dumps(_nam()).encode()
    spoilt = [text[: len(text) * i // 20] for i in range(20)]
    spoilt += [
        text.replace(b"[1", bad) for bad in (b"[NaN", b"[-Infinity", b"[1,,", b"[nil", b"['1'", b"[\xe9")
    ]
    spoilt += [text + b"}", text.decode().encode("utf-16"), b"\x00" * 64, text.replace(b"2]", b"2,]")]
    for data in spoilt:
        path.write_bytes(data)
        with pytest.raises(NeurdspError) as caught:
            AmpModel.load(path)
        _check(caught.value)
    path.write_bytes(b"\xef\xbb\xbf" + text)
    assert AmpModel.load(path).receptive_field == 2


def test_model_files(tmp_path):
    path = tmp_path / "model.safetensors"
    data = find_model("ts9").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    small = {name: value for name, value in header.items() if name in ("__metadata__", "input_conv.bias")}
    for document in _mutations(small):
        text = json.dumps(document).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
        with pytest.raises(NeurdspError) as caught:
            modelfile.read(path)
        _check(caught.value)
    model = modelfile.read(find_model("ts9"))
    for key in model.metadata:
        for value in ("", "null", "[]", "{}", '{"channels": "x"}', "NaN", "1"):
            try:
                modelfile.write(path, model.metadata | {key: value}, model.tensors)
            except NeurdspError as error:
                _check(error)


def test_configurations_and_presets(tmp_path):
    refused = 0
    for preset in ("tiny", "lstm-nano", "a1-nano"):
        tree = load_preset("neurdsp.amp", preset)
        for document in _mutations(tree):
            if not isinstance(document, dict):
                continue
            try:
                build_config(document, source=preset)
            except NeurdspError as error:
                _check(error)
                refused += 1
    assert refused > 100
    for text in (
        "a: [1",
        "- 1",
        "a: 1\na: 2",
        "\t",
        "a: !!python/object:os.system x",
        "&a [*a]",
        "a: \x01",
        "3",
    ):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        for read in (lambda text=text: parse_yaml(text), lambda path=path: load_yaml(path)):
            try:
                read()
            except NeurdspError as error:
                _check(error)
    for override in ("", "a", "=1", "model..x=1", "model=[", "model.channels=text"):
        try:
            build_config(apply_overrides(load_preset("neurdsp.amp", "tiny"), [override]))
        except NeurdspError as error:
            _check(error)
