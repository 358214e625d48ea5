"""Several processes train one model: they use the mean gradient, and one of them decides."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from neurdsp.errors import ParameterError
from neurdsp.training import Ranks
from neurdsp.training.ranks import refuse_ranks

# One process imports torch, then forks the ranks, with the variables that torchrun sets.
WORKER = """
import json, os, socket, sys
from pathlib import Path
import torch
from torch import nn
from neurdsp.config import build
from neurdsp.training import Ranks, Trainer, TrainingConfig
from neurdsp.training.task import phases_of
from neurdsp.training.updates import Updates

folder = Path(sys.argv[1])
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
# The first optimiser imports half of torch: once, before the fork.
torch.optim.SGD([torch.zeros(1, requires_grad=True)])
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE="2", RANK="0")
if (child := os.fork()) == 0:
    os.environ["RANK"] = "1"

class Line:
    samples_per_step = 8
    def loss(self, model, step):
        # Three parameters; one is not used by the first rank, whose gradient is then None.
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(step))
        loss = (model[0](x) - (2 * x + 1)).square().mean()
        if step % 2:
            loss = loss + model[1].weight.square().sum()
        return loss * float("nan") if step == 7 else loss  # the second rank in the fourth step
    def validate(self, model):
        with (folder / "validations").open("a") as file:
            file.write("v")
        return {"score": float(model[0].weight)**2 + 1}
    def improved(self, model, metrics):
        pass

def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1, bias=False))

torch.set_num_threads(1)
settings = {"minutes": None, "steps": 3, "threads": 1, "gradient_clip": 0, "warmup_steps": 0}
config = build(TrainingConfig, settings)
with Ranks.joined(torch.device("cpu")) as ranks:
    model = network()
    updates = Updates(model, phases_of(Line(), model), config, ranks)
    gradients = []
    for step in range(4):
        losses = updates.step(step, progress=0.0)
        gradients.append(losses and [p.grad.flatten().tolist() for p in model.parameters()])
    told = ranks.decided(lambda: ["from", ranks.rank])
    trained = network()
    Trainer(trained, Line(), config, run_dir=folder, ranks=ranks).run()
    weights = [p.flatten().tolist() for p in trained.parameters()]
    found = {"gradients": gradients, "told": told, "weights": weights, "size": ranks.size}
    (folder / f"rank{ranks.rank}.json").write_text(json.dumps(found))
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def expected_gradients() -> list[list[float]]:
    """The gradients in one process that takes both batches of the first step."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1, bias=False))
    total = torch.zeros(())
    for step in (0, 1):
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(step))
        total = total + (model[0](x) - (2 * x + 1)).square().mean() / 2
    (total + model[1].weight.square().sum() / 2).backward()
    return [p.grad.flatten().tolist() for p in model.parameters()]


@pytest.mark.slow
def test_two_ranks_take_the_mean_gradient_and_one_decides(tmp_path: Path):
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert first["gradients"] == second["gradients"]
    for got, wanted in zip(first["gradients"][0], expected_gradients(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert first["gradients"][3] is None, "a rank without a finite loss stops the step of all"
    assert first["told"] == second["told"] == ["from", 0]
    assert first["size"] == second["size"] == 2
    assert first["weights"] == second["weights"]
    assert (tmp_path / "validations").read_text() == "v"


def test_alone_there_is_nothing_to_agree_on():
    alone = Ranks()
    assert alone.first
    assert [alone.batch_index(step) for step in (0, 5)] == [0, 5]
    assert alone.decided(lambda: 3) == 3
    assert not alone.mean_gradients([], finite=False)


def test_commands_for_one_process_refuse_others(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ParameterError, match="train-many runs in one process"):
        refuse_ranks("train-many")
