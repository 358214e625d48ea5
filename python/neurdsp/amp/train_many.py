"""Training on several captures in one call, with a leaderboard of the results."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from neurdsp._output import atomic_output, check_output
from neurdsp.amp.config import AmpConfig
from neurdsp.amp.train import RunResult, train
from neurdsp.errors import NeurdspError, ParameterError
from neurdsp.training.ranks import refuse_ranks

__all__ = ["Entry", "train_many"]


@dataclass(frozen=True)
class Entry:
    """One line of the leaderboard.

    Parameters
    ----------
    name
        Name of the capture: that of its output file without the suffix.
    model_path
        The exported file; None if nothing was trained.
    esr, pre_emphasised_esr, spectral_distance
        As in `neurdsp.amp.train.RunResult`; None if nothing was trained.
    stopped
        Why the run ended.
    error
        Why the capture could not be trained on.
    older_model
        As in `neurdsp.amp.train.RunResult`.
    """

    name: str
    model_path: str | None = None
    esr: float | None = None
    pre_emphasised_esr: float | None = None
    spectral_distance: float | None = None
    stopped: str = ""
    error: str = ""
    older_model: str = ""


def train_many(
    config: AmpConfig,
    input_path: str | os.PathLike[str],
    output_paths: Sequence[str | os.PathLike[str]],
    *,
    folder: str | os.PathLike[str],
    resume: bool = False,
    show: bool = False,
    started: Callable[[str], None] | None = None,
    overwrite: bool = False,
    config_path: str | os.PathLike[str] | None = None,
) -> list[Entry]:
    """Train one model for each of several captures of the same input, one after the other.

    A capture that cannot be trained on goes to the end of the leaderboard, with the reason. It does not stop
    the others.

    Parameters
    ----------
    config
        Network, data, loss and the budget of each run.
    input_path
        Input of all devices.
    output_paths
        Output of each device; the models are named after these files.
    folder
        Folder for ``NAME.safetensors``, the run folders ``runs/NAME`` and ``leaderboard.json``, which is
        rewritten after each run; made if it is missing.
    resume
        Continue from the checkpoints in the run folders; captures without one start from the beginning.
    show
        Whether to show the progress of each run on standard error.
    started
        Called with the name of each capture before its run.
    overwrite, config_path
        As in `neurdsp.amp.train.train`.

    Returns
    -------
    list of Entry
        The lowest error-to-signal ratio first. After an interrupted run no further captures are trained on.

    Raises
    ------
    ParameterError
        If there is no output, if two have the same name, if ``leaderboard.json`` is a file of somebody else,
        or if ``torchrun`` started several processes.
    OSError
        If a file cannot be written, or is an input.

    Examples
    --------
    >>> board = train_many(config, "in.wav", ["crunch.wav", "lead.wav"], folder="amps")  # doctest: +SKIP
    >>> board[0].name  # doctest: +SKIP
    'crunch'
    """
    refuse_ranks("train-many")
    outputs = [Path(path) for path in output_paths]
    names = [path.stem for path in outputs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not outputs:
        raise ParameterError("there is no capture to train on; give at least one output")
    if twice:
        raise ParameterError(
            f"two outputs are called '{twice[0]}', as both models would be; rename one of them"
        )
    root = Path(folder)
    board_path = root / "leaderboard.json"
    if root.is_dir():
        sources = [input_path, *outputs, *([] if config_path is None else [config_path])]
        for path in (board_path, *(root / f"{name}.safetensors" for name in names)):
            check_output(path, inputs=sources)
        if not overwrite and board_path.exists() and not _is_board(board_path):
            raise ParameterError(
                f"cannot write '{board_path}': it exists already, and is no leaderboard; give another "
                "folder, or --overwrite to replace it"
            )
    root.mkdir(parents=True, exist_ok=True)
    entries: list[Entry] = []
    for name, output in zip(names, outputs, strict=True):
        if started is not None:
            started(name)
        model_path, run_dir = root / f"{name}.safetensors", root / "runs" / name
        again = resume and (run_dir / "checkpoint.pt").is_file()
        try:
            result = train(
                config,
                input_path,
                output,
                model_path=model_path,
                run_dir=run_dir,
                resume=again,
                show=show,
                overwrite=overwrite,
                config_path=config_path,
            )
            entries.append(_entry(name, result))
        except NeurdspError as error:
            entries.append(Entry(name, error=str(error)))
        entries.sort(key=lambda entry: float("inf") if entry.esr is None else entry.esr)
        with atomic_output(board_path) as temporary:
            board = json.dumps([asdict(entry) for entry in entries], indent=2)
            temporary.write_text(board + "\n", encoding="utf-8")
        if any(entry.stopped == "interrupted" for entry in entries):
            break
    return entries


def _is_board(path: Path) -> bool:
    """Tell whether an earlier call wrote a file."""
    try:
        entries = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and {"name", "esr", "stopped"} <= entry.keys() for entry in entries
    )


def _entry(name: str, result: RunResult) -> Entry:
    return Entry(
        name,
        str(result.model_path),
        result.esr,
        result.pre_emphasised_esr,
        result.spectral_distance,
        result.summary.stopped,
        older_model=result.older_model,
    )
