"""Rendering audio files through an amp model, in bounded memory."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from neurdsp.amp.infer import AmpModel
from neurdsp.amp.play.chain import AmpChain, ChainSettings
from neurdsp.amp.play.effects import ResponseChannel
from neurdsp.audio import AudioReader, AudioWriter, FloatArray
from neurdsp.console import Progress
from neurdsp.dsp.executors import LocalPool, Lost, n_cores
from neurdsp.errors import AudioFileError, ModelFileError, ParameterError
from neurdsp.metrics.level import amplitude_to_db

__all__ = ["RenderResult", "RenderedFile", "render_file", "render_files"]


@dataclass(frozen=True, slots=True)
class RenderResult:
    """Length of the output in samples, its sample rate in Hz and its peak in dBFS."""

    n_samples: int
    sample_rate: int
    peak_db: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One of several files: its result, or one line that says why there is none."""

    input_path: Path
    output_path: Path
    result: RenderResult | None = None
    error: str | None = None


def render_file(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    *,
    model: AmpModel | str | os.PathLike[str],
    subtype: str = "FLOAT",
    ir: str | os.PathLike[str] | None = None,
    ir_channel: ResponseChannel = "each",
    oversample: int = 1,
    **settings: Unpack[ChainSettings],
) -> RenderResult:
    """Play an audio file through an amp, and write the output at the same sample rate and length.

    Without an impulse response, oversampling and settings the model plays alone. With any of them
    `neurdsp.amp.AmpChain` plays, with its DC block off unless it is asked for.

    Parameters
    ----------
    input_path : path-like
        Mono, of any length.
    output_path : path-like
        Written when it is complete; the suffix selects the format.
    model : AmpModel, str or path-like
        A loaded model, a model file, or the name of a shipped amp.
    subtype : str
        Sample format, see `neurdsp.audio.AudioWriter`.
    ir : path-like, optional
        Impulse response of a cabinet.
    ir_channel : {"each", "left", "right", "mean"} or int
        Which channel of the impulse response plays; "each" is the left for a mono recording.
    oversample : {1, 2, 4}
        Run the model at a multiple of its rate to reduce aliasing.
    **settings
        Any of `neurdsp.amp.ChainSettings`; ``dc_block_on`` is False by default here.

    Returns
    -------
    RenderResult
        Length, rate and peak of the output.

    Raises
    ------
    AudioFileError
        If the input is missing, damaged, empty, not mono or not finite, or the output cannot be written.
    ModelFileError
        If the model cannot be loaded, or its output is not finite; nothing is written then.
    ParameterError
        If a setting is out of range.

    Examples
    --------
    >>> render_file("dry.wav", "wet.wav", model="amp.safetensors")  # doctest: +SKIP
    """
    with Progress("rendering", 1.0) as progress:
        return _render(
            input_path,
            output_path,
            model,
            subtype,
            ir,
            ir_channel,
            oversample,
            settings,
            progress=progress.advance,
        )


def render_files(
    input_paths: Iterable[str | os.PathLike[str]],
    output_folder: str | os.PathLike[str],
    *,
    model: AmpModel | str | os.PathLike[str],
    suffix: str = ".wav",
    workers: int | None = None,
    subtype: str = "FLOAT",
    ir: str | os.PathLike[str] | None = None,
    ir_channel: ResponseChannel = "each",
    oversample: int = 1,
    **settings: Unpack[ChainSettings],
) -> Iterator[RenderedFile]:
    """Play several audio files through one amp in parallel; see `render_file`.

    The weights are loaded once. Threads suffice because playing releases the interpreter lock, so throughput
    grows with the number of cores.

    Parameters
    ----------
    input_paths : iterable of path-like
        Mono, of any length; their names must differ.
    output_folder : path-like
        Folder for the outputs, which are named like the inputs; made if it is missing.
    suffix : str
        Of the outputs; it selects the format.
    workers : int, optional
        Files at a time; the number of cores by default.
    model, subtype, ir, ir_channel, oversample, **settings
        As in `render_file`.

    Yields
    ------
    RenderedFile
        As soon as a file is done. A file that cannot be rendered does not stop the others.

    Raises
    ------
    ParameterError
        If two outputs would have the same name, an output would overwrite its input, or a setting is out of
        range.
    ModelFileError
        If the model cannot be loaded.

    Examples
    --------
    >>> for file in render_files(["a.wav", "b.wav"], "wet", model="ts9"):  # doctest: +SKIP
    ...     print(file.output_path, file.error or "")
    """
    folder = Path(output_folder)
    sources: dict[Path, Path] = {}
    for source in map(Path, input_paths):
        target = folder / f"{source.stem}{suffix}"
        if target in sources:
            raise ParameterError(
                f"'{sources[target]}' and '{source}' would both become '{target}': rename one"
            )
        if target.resolve() == source.resolve():
            raise ParameterError(f"'{source}' would be overwritten: give another output folder")
        sources[target] = source
    if workers is not None and workers < 1:
        raise ParameterError(f"workers is {workers}, but it must be at least 1")
    folder.mkdir(parents=True, exist_ok=True)
    amp = model if isinstance(model, AmpModel) else AmpModel.load(model)

    def render(target: Path) -> RenderedFile:
        source = sources[target]
        try:
            result = _render(source, target, amp, subtype, ir, ir_channel, oversample, settings)
        except (AudioFileError, ModelFileError) as error:
            return RenderedFile(source, target, error=str(error))
        return RenderedFile(source, target, result=result)

    pool = LocalPool(workers or n_cores())
    with Progress("rendering", len(sources)) as progress:
        for target, file in pool.map(render, sources):
            progress.advance(1)
            if isinstance(file, Lost):
                file = RenderedFile(sources[target], target, error=file.reason)
            yield file


def _render(
    input_path: str | os.PathLike[str],
    output_path: str | os.PathLike[str],
    model: AmpModel | str | os.PathLike[str],
    subtype: str,
    ir: str | os.PathLike[str] | None,
    ir_channel: ResponseChannel,
    oversample: int,
    settings: ChainSettings,
    *,
    progress: Callable[[float], None] | None = None,
) -> RenderResult:
    """Play one file; ``progress`` is called with the share that was just played."""
    with AudioReader(input_path, mono=True) as reader:
        info = reader.info
        amp = model if isinstance(model, AmpModel) else AmpModel.load(model)
        chain = None
        if ir is not None or oversample != 1 or settings:
            settings = {"dc_block_on": False, **settings}
            chain = AmpChain(
                amp,
                sample_rate=info.sample_rate,
                ir=ir,
                ir_channel=ir_channel,
                oversample=oversample,
                **settings,
            )
        n_samples, peak = 0, 0.0
        try:
            with AudioWriter(output_path, info.sample_rate, subtype=subtype) as writer:
                dry = _mono(reader)
                wet = chain.render_blocks(dry) if chain else amp.render_blocks(dry, info.sample_rate)
                for block in wet:
                    writer.write(block)
                    n_samples += block.size
                    peak = max(peak, float(np.abs(block).max(initial=0.0)))
                    if progress is not None:
                        progress(block.size / max(1, info.n_samples))
                if n_samples == 0:
                    raise AudioFileError(f"'{input_path}' is empty: it holds no samples")
        except ParameterError as error:
            raise AudioFileError(f"cannot render '{input_path}': {error}") from error
    return RenderResult(n_samples=n_samples, sample_rate=info.sample_rate, peak_db=amplitude_to_db(peak))


def _mono(reader: AudioReader) -> Iterator[FloatArray]:
    for block in reader.blocks():
        yield block[0]
