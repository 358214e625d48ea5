"""Where the model of a run goes: to its file, or into the run folder while an older model there is better."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurdsp import _core
from neurdsp._output import check_output
from neurdsp.errors import NeurdspError

__all__ = ["ModelPlace", "stored_esr"]

_ERRORS = ("esr", "esr_train", "test_esr")
"""Names of the error in the metrics of a model file, the first that is there counts."""


def stored_esr(path: str | os.PathLike[str]) -> float | None:
    """Return the error-to-signal ratio that a model file states; None if it states none, or is no such file.

    Examples
    --------
    >>> stored_esr("amp.safetensors")  # doctest: +SKIP
    0.0004
    """
    try:
        metadata, _ = _core.model_file_layout(path)
        metrics = json.loads(metadata["neurdsp.metrics"])
    except (NeurdspError, OSError, KeyError, ValueError):
        return None
    return _error_of(metrics) if isinstance(metrics, dict) else None


def _error_of(metrics: Mapping[str, Any]) -> float | None:
    values = (metrics.get(name) for name in _ERRORS)
    return next((float(value) for value in values if isinstance(value, int | float)), None)


class ModelPlace:
    """Where the models of a run are written.

    Parameters
    ----------
    wanted
        The file that the user asked for.
    spare
        The file to write while a model that was there before the run is at least as good.
    replace
        Whether the older model may be replaced in any case, because the user says so.
    resumed
        Whether the run continues an earlier one, whose model the older one then is, unless that went to the
        spare file.

    Examples
    --------
    >>> place = ModelPlace(Path("amp.safetensors"), Path("runs/amp/amp-new.safetensors"))
    >>> place.choose({"esr": 0.01}).name  # there is no older model
    'amp.safetensors'
    """

    def __init__(self, wanted: Path, spare: Path, *, replace: bool = False, resumed: bool = False) -> None:
        self.wanted, self._spare = wanted, spare
        self.path = wanted
        self._was_there = wanted.exists()
        self._older_esr = stored_esr(wanted) if self._was_there else None
        self._kept = self._was_there and not replace and not (resumed and not spare.exists())
        self._esr: float | None = None

    def choose(self, metrics: Mapping[str, Any]) -> Path:
        """Return the file to write a model with these metrics to.

        Once a run has replaced the older model, all its models go there.
        """
        self._esr = _error_of(metrics)
        if self._kept:
            better = None not in (self._esr, self._older_esr) and self._esr < self._older_esr  # type: ignore[operator]
            self._kept = not better
        self.path = self._spare if self._kept else self.wanted
        if self._kept:
            check_output(self.path)
        else:
            self._spare.unlink(missing_ok=True)  # of an earlier run, or of this one before it was better
        return self.path

    def story(self) -> str:
        """Return one sentence about the older model: that it was kept or replaced; empty without one."""
        if not self._was_there:
            return ""
        older = "no recorded ESR" if self._older_esr is None else f"an ESR of {self._older_esr:.3g}"
        now = "" if self._esr is None else f" of {self._esr:.3g}"
        if self._kept:
            return (
                f"'{self.wanted}' was kept: it has {older}, and this run reached one{now}; the new model is "
                f"'{self._spare}', and --overwrite would replace the older one"
            )
        return f"'{self.wanted}' was replaced: it had {older}, and now has one{now}"
