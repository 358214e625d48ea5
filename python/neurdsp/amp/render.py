"""Rendering an audio file through an amp model into another file, with bounded memory."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from neurdsp.amp.chain import AmpChain, ChainSettings
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
    ir: str | os.PathLike[str] | None = None,
    oversample: int = 1,
    **settings: Unpack[ChainSettings],
) -> RenderResult:
    """Play an audio file through an amp and write the result, at the input's sample rate and length.

    Without an impulse response and settings that is the model alone; with any of them it is
    :class:`neurdsp.amp.AmpChain`, of which only what is asked for is on.

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
    ir : path-like, optional
        Impulse response of a cabinet.
    oversample : {1, 2, 4}
        Run the model at a multiple of its rate, against aliasing.
    **settings
        Any of :class:`neurdsp.amp.ChainSettings`; ``dc_block_on`` is False here if it is not given.

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
    ParameterError
        If a setting is out of its range.

    Examples
    --------
    >>> render_file("dry.wav", "wet.wav", model="amp.safetensors")  # doctest: +SKIP
    """
    with AudioReader(input_path, mono=True) as reader:
        info = reader.info
        amp = model if isinstance(model, AmpModel) else AmpModel.load(model)
        chain = None
        if ir is not None or oversample != 1 or settings:
            settings = {"dc_block_on": False, **settings}
            chain = AmpChain(amp, sample_rate=info.sample_rate, ir=ir, oversample=oversample, **settings)
        n_samples, peak = 0, 0.0
        try:
            with (
                AudioWriter(output_path, info.sample_rate, subtype=subtype) as writer,
                Progress("rendering", info.n_samples) as progress,
            ):
                dry = _mono(reader)
                wet = chain.render_blocks(dry) if chain else amp.render_blocks(dry, info.sample_rate)
                for block in wet:
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
