"""The training section of a configuration: optimisers by name, and files of earlier versions."""

import pytest
import torch
from neurdsp.config import build, dump_yaml, parse_yaml
from neurdsp.errors import ConfigError
from neurdsp.training import TrainingConfig

FIRST_VERSION = """\
minutes: 5.0
steps: null
clock: wall
batch_size: 2
learning_rate: 0.008
warmup_steps: 20
final_learning_rate: 0.01
gradient_clip: 1.0
ema_decay: 0.0
target_score: null
validate_seconds: 15.0
validate_steps: 100
seed: 0
threads: null
tensorboard: false
device: auto
precision: float32
compile: false
"""


def test_a_configuration_of_the_first_version_keeps_its_bytes():
    config = build(TrainingConfig, parse_yaml(FIRST_VERSION))
    assert config == TrainingConfig()
    assert dump_yaml(config) == FIRST_VERSION


def test_later_settings_are_written_once_they_are_used():
    tree = {"accumulate_batches": 4, "optimizer": {"type": "adamw", "weight_decay": 0.1}}
    config = build(TrainingConfig, tree)
    assert build(TrainingConfig, parse_yaml(dump_yaml(config))) == config
    assert "accumulate_batches: 4\n" in dump_yaml(config)


def test_a_dump_for_comparison_holds_every_field():
    assert TrainingConfig().model_dump().keys() == TrainingConfig.model_fields.keys()


@pytest.mark.parametrize(
    ("tree", "kind", "expected"),
    [
        ({"type": "adam"}, torch.optim.Adam, {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0}),
        (
            {"type": "adamw", "betas": [0.8, 0.99]},
            torch.optim.AdamW,
            {"betas": (0.8, 0.99), "weight_decay": 0.01},
        ),
        (
            {"type": "sgd", "momentum": 0.9, "nesterov": True},
            torch.optim.SGD,
            {"momentum": 0.9, "nesterov": True},
        ),
    ],
)
def test_an_optimiser_is_built_as_named(tree, kind, expected):
    config = build(TrainingConfig, {"optimizer": tree})
    optimizer = config.optimizer.build([torch.nn.Parameter(torch.zeros(1))], 0.25)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert {name: group[name] for name in expected} == expected
    assert group["lr"] == 0.25


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"type": "adamww"}, r"'optimizer.type' = 'adamww' is not known; did you mean 'adamw'\?"),
        ({"momentum": 0.9}, "the key 'optimizer.type' is missing; known are: adam, adamw, sgd"),
        ({"type": "sgd", "momentun": 0.9}, "unknown key 'optimizer.momentun'; did you mean 'momentum'?"),
        ({"type": "adam", "betas": [0.9, 1]}, r"'optimizer.betas.1' = 1: "),
        ({"type": "sgd", "nesterov": True}, "nesterov needs momentum"),
    ],
)
def test_a_wrong_optimiser_is_one_line_that_names_the_key(tree, message):
    with pytest.raises(ConfigError, match=message) as caught:
        build(TrainingConfig, {"optimizer": tree}, source="run.yaml")
    assert str(caught.value).startswith("run.yaml: ")
    assert "\n" not in str(caught.value)
