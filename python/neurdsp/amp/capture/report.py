"""What an examination of two recordings found: facts of the files, alignment, and findings with a severity.

An *error* would waste the training: files that are swapped, silent, unrelated, or at different rates. A
*warning* costs quality: clipping, noise, a device that changed between two takes. A *note* is good to know.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from neurdsp.amp.capture.align import Alignment
from neurdsp.amp.capture.drift import Drift
from neurdsp.amp.capture.known import KnownInput
from neurdsp.amp.config import DataConfig
from neurdsp.audio import FloatArray

__all__ = ["Examination", "Examined", "Finding", "Report", "Severity", "Side"]

Severity = Literal["error", "warning", "note"]

_ORDER: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One finding: its severity, a code for programs, and a message for people."""

    severity: Severity
    code: str
    message: str


@dataclass(frozen=True)
class Side:
    """Facts of one file. Levels are in dB of full scale; None if they could not be measured.

    Parameters
    ----------
    path, sample_rate, channels, seconds, format
        The file.
    peak_db, rms_db, dc
        Peak, RMS and mean of the samples.
    clipped_samples
        Samples in runs of three or more at full scale.
    noise_db
        Level while the input is silent.
    """

    path: str
    sample_rate: int
    channels: int
    seconds: float
    format: str
    peak_db: float | None = None
    rms_db: float | None = None
    dc: float | None = None
    clipped_samples: int = 0
    noise_db: float | None = None


@dataclass(frozen=True)
class Report:
    """Everything that an examination found.

    Parameters
    ----------
    input, output
        Facts of the files.
    known
        Name of the recognised input.
    alignment, drift
        Latency and clock; None after an earlier error.
    replicate_esr
        Error-to-signal ratio between two takes of the same passage in the output, if the input repeats one.
    linear_esr
        Error-to-signal ratio of the best linear filter: how nonlinear the device is.
    findings
        The worst first.
    """

    input: Side
    output: Side
    known: str = ""
    alignment: Alignment | None = None
    drift: Drift | None = None
    replicate_esr: float | None = None
    linear_esr: float | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that prevent training."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def to_json(self) -> dict[str, Any]:
        """Return plain values, with None in place of infinities."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: plain(item) for key, item in value.items()}
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        result: dict[str, Any] = plain(asdict(self))
        return {**result, "ok": not self.errors}


@dataclass
class Examined:
    """A report and the recordings that it describes.

    Parameters
    ----------
    report
        The report.
    dry, wet
        Input and output, ``(n_samples,)`` each. The clock of the output is corrected; it is not shifted yet.
    sample_rate
        In Hz.
    known
        What the input was recognised as.
    """

    report: Report
    dry: FloatArray
    wet: FloatArray
    sample_rate: int
    known: KnownInput


@dataclass
class Examination:
    """An examination in progress: what is examined, and the findings so far."""

    input_path: str
    output_path: str
    data: DataConfig
    _findings: list[Finding] = field(default_factory=list)

    def add(self, severity: Severity, code: str, message: str) -> None:
        """Add a finding."""
        self._findings.append(Finding(severity, code, message))

    def again(self) -> "Examination":
        """Return an examination of the same files without findings."""
        return Examination(self.input_path, self.output_path, self.data)

    def take(self, other: "Examination") -> None:
        """Add the findings of another examination."""
        self._findings.extend(other._findings)

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(finding.severity == "error" for finding in self._findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, the worst first."""
        return tuple(sorted(self._findings, key=lambda finding: _ORDER[finding.severity]))
