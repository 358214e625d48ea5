"""Rendering an audio file through an amp model into another file, with bounded memory."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurdsp.amp.infer import AmpModel
from neurdsp.audio import AudioReader, AudioWriter, FloatArray
from neurdsp.console import Progress
from neurdsp.errors import AudioFileError, ParameterError
from neurdsp.metrics.level import amplitude_to_db

__all__ = ["RenderResult", "render_file"]


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was written: length in samples, rate in Hz and peak in dBFS."""

    n_samples: int
    sample_rate: int
    peak_db: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def render_file(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    model: AmpModel | str | os.PathLike[str],
    subtype: str = "FLOAT",
) -> RenderResult:
    """Play an audio file through an amp and write the result, at the input's sample rate and length.

    Parameters
    ----------
    input_path : path-like
        Mono, of any length.
    output_path : path-like
        Appears when it is complete; the suffix chooses the format.
    model : AmpModel, str or path-like
        A loaded model, a model file, or a shipped amp's name.
    subtype : str
        Sample format, see :class:`neurdsp.audio.AudioWriter`.

    Returns
    -------
    RenderResult
        Length, rate and peak of the output.

    Raises
    ------
    AudioFileError
        If the input is missing, damaged, empty, not mono or not finite, or the output cannot be written.
    ModelFileError
        If the model cannot be loaded.

    Examples
    --------
    >>> render_file("dry.wav", "wet.wav", model="amp.safetensors")  # doctest: +SKIP
    """
    with AudioReader(input_path, mono=True) as reader:
        info = reader.info
        amp = model if isinstance(model, AmpModel) else AmpModel.load(model)
        n_samples, peak = 0, 0.0
        try:
            with (
                AudioWriter(output_path, info.sample_rate, subtype=subtype) as writer,
                Progress("rendering", info.n_samples) as progress,
            ):
                for block in amp.render_blocks(_mono(reader), info.sample_rate):
                    writer.write(block)
                    n_samples += block.size
                    peak = max(peak, float(np.abs(block).max(initial=0.0)))
                    progress.advance(block.size)
                if n_samples == 0:
                    raise AudioFileError(f"'{input_path}' is empty: it holds no samples")
        except ParameterError as error:
            raise AudioFileError(f"cannot render '{input_path}': {error}") from error
    return RenderResult(n_samples=n_samples, sample_rate=info.sample_rate, peak_db=amplitude_to_db(peak))


def _mono(reader: AudioReader) -> Iterator[FloatArray]:
    for block in reader.blocks():
        yield block[0]
