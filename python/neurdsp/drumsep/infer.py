"""Separating drum recordings. Needs no torch."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from neurdsp import _core
from neurdsp._output import check_output
from neurdsp.audio import FloatArray, check_audio, check_sample_rate
from neurdsp.config import build
from neurdsp.drumsep.backends import BackendName, Precision
from neurdsp.drumsep.bandsplit.config import ARCHITECTURE as BAND_SPLIT
from neurdsp.drumsep.bandsplit.config import RESIDUAL, BandSplitConfig
from neurdsp.drumsep.chunked import ChunkedNetwork
from neurdsp.drumsep.config import Compatibility, TfcTdfConfig
from neurdsp.drumsep.demix import Stems
from neurdsp.drumsep.export import ARCHITECTURE
from neurdsp.drumsep.lookup import find_network
from neurdsp.drumsep.options import Options, Overlap, Tier
from neurdsp.drumsep.passes import Stretches, separated
from neurdsp.drumsep.sources import ArraySource, FileSource, Source
from neurdsp.drumsep.streamed import DrumStream, StreamedNetwork
from neurdsp.drumsep.writing import StemFormat, check_gain, file_names, write_stems
from neurdsp.errors import ParameterError, UnsupportedModelError
from neurdsp.modelfile.files import ModelFile

__all__ = ["RESIDUAL", "DrumSeparator", "SeparatedFile", "Settings"]


class Settings(TypedDict, total=False):
    """What may be set of a separation; see `DrumSeparator.separate`."""

    tier: Tier | None
    overlap: Overlap | None
    batch_size: int | None
    precision: Precision | None
    backend: BackendName
    device: str
    threads: int | None
    compat: Compatibility


@dataclass(frozen=True, kw_only=True)
class SeparatedFile:
    """What `DrumSeparator.separate_file` wrote.

    Attributes
    ----------
    outputs
        The file of each stem by its name.
    sample_rate, n_samples
        Of each file, those of the recording.
    peaks_db
        Peak of each stem in dBFS, before any clipping.
    clipped
        Number of samples of each stem that were clipped, in formats that cannot exceed full scale.
    warnings
        What is missing from the recording, and what was clipped.
    """

    outputs: dict[str, Path]
    sample_rate: int
    n_samples: int
    peaks_db: dict[str, float]
    clipped: dict[str, int]
    warnings: tuple[str, ...]


class _Network(Protocol):
    """A kind of network."""

    stems: tuple[str, ...]
    sample_rate: int
    channels: int
    config: Any

    def check(self, options: Options) -> None: ...

    def open(self, options: Options) -> object: ...

    def stretches(
        self, source: Source, options: Options, progress: Callable[[int, int], None] | None
    ) -> Stretches: ...


class DrumSeparator:
    """Takes a drum recording apart into stems.

    Made by `load`.

    Attributes
    ----------
    path : Path
        The model file.
    config : TfcTdfConfig or BandSplitConfig
        The shape of the network.

    Examples
    --------
    >>> separator = DrumSeparator.load("drumsep.safetensors")  # doctest: +SKIP
    >>> stems = separator.separate(audio, 44_100)  # doctest: +SKIP
    >>> sorted(stems)  # doctest: +SKIP
    ['cymbals', 'hihat', 'kick', 'snare', 'toms']
    """

    def __init__(self, network: _Network, path: Path) -> None:
        self._network, self.path = network, path
        self.config = network.config

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str] | None = None) -> Self:
        """Load a network. Its weights are read when they are first needed.

        Parameters
        ----------
        name_or_path
            A model file of either kind: an MDX23C network, as `neurdsp.drumsep.convert_checkpoint` writes it,
            or one that streams. Or the name of a network that comes with neurdsp; by default ``draft``, which
            streams.

        Raises
        ------
        ModelFileError
            If the file cannot be read or is damaged.
        UnsupportedModelError
            If it holds another kind of model.
        """
        path = find_network(name_or_path)
        header = ModelFile(_core.model_file_layout(path)[0], {})
        if header.architecture == BAND_SPLIT:
            return cls(StreamedNetwork(path, build(BandSplitConfig, header.config, source=str(path))), path)
        if header.architecture != ARCHITECTURE:
            raise UnsupportedModelError(
                f"'{path}' holds {header.architecture}, but a separator is {ARCHITECTURE} or {BAND_SPLIT}; "
                "convert the checkpoint of an MDX23C network"
            )
        return cls(ChunkedNetwork(path, build(TfcTdfConfig, header.config, source=str(path))), path)

    @property
    def stems(self) -> tuple[str, ...]:
        """The names of the stems, in the order of the network."""
        return self._network.stems

    @property
    def streams(self) -> bool:
        """Whether the network streams, on one thread; an MDX23C network sees chunks, on several."""
        return isinstance(self._network, StreamedNetwork)

    def stream(self) -> DrumStream:
        """Return a stream that separates a recording as it comes in, in blocks of any length.

        Raises
        ------
        UnsupportedModelError
            If the network sees a chunk of the recording at a time, as MDX23C networks do.
        """
        if not isinstance(self._network, StreamedNetwork):
            raise UnsupportedModelError(
                f"'{self.path}' is an MDX23C network, which cannot play live; load a network that streams, "
                "such as 'draft'"
            )
        network = self._network
        return DrumStream(network.open(Options()), (*network.stems, RESIDUAL), network.sample_rate)

    def separate(
        self,
        audio: npt.ArrayLike,
        sample_rate: float,
        *,
        stems: Sequence[str] | None = None,
        residual: bool = False,
        progress: Callable[[int, int], None] | None = None,
        **settings: Unpack[Settings],
    ) -> dict[str, FloatArray]:
        """Separate a recording.

        Parameters
        ----------
        audio
            ``(n_samples,)`` or ``(channels, n_samples)`` with one or two channels. A mono recording goes to
            both channels of a stereo network, and its stems are the mean of both.
        sample_rate
            In Hz. Another rate than the network's is resampled, and the stems are resampled back.
        stems
            Names of the stems to return; all of them by default.
        residual
            Whether to return what is in no stem, as ``residual``: it and all stems sum to the recording.
        progress
            Called after each chunk with the number of chunks that are done and of all; an exception that it
            raises ends the work.
        tier
            ``exact`` covers each sample with eight chunks, as the public programs do; ``balanced``, the
            default, with two; ``fast`` with one, faded into the next over a tenth; ``turbo`` does the same in
            bfloat16. The work goes down with the number. ``draft`` is that of a network that streams, and its
            default; the options below are not for such a network.
        overlap
            Another number of chunks than the tier's; ``config`` takes that of the network's own
            configuration.
        batch_size
            Chunks that the network gets at a time; by default that of its own configuration. No part of the
            result in the engine.
        precision, backend, device
            Number type of the products, and who computes them; see `neurdsp.drumsep.backends.open_network`.
        threads
            Number of threads, by default that of the cores; the result does not depend on it.
        compat
            Whose chunks are used: those of ``msst``, or of ``audio-separator``, which are shorter and end in
            zeros.

        Returns
        -------
        dict
            Stems by name, float32, each of the shape and at the rate of ``audio``.

        Raises
        ------
        ParameterError
            If the audio is empty, not finite or has more than two channels, or a parameter is out of range.
        MissingDependencyError
            If the package of a backend is not installed.
        """
        samples = check_audio(audio)
        source = ArraySource(np.atleast_2d(samples), check_sample_rate(sample_rate))
        names = self.names(stems, residual=residual)
        results = np.zeros((len(names), source.channels, source.n_samples), np.float32)
        position = 0
        for part in self.stretches(source, names, Options(**settings), progress):
            results[..., position : position + part.shape[2]] = part
            position += part.shape[2]
        return {name: stem.reshape(samples.shape) for name, stem in zip(names, results, strict=True)}

    def separate_file(
        self,
        path: str | os.PathLike[str],
        output_folder: str | os.PathLike[str],
        *,
        stems: Sequence[str] | None = None,
        residual: bool = False,
        file_format: StemFormat = "float",
        gain_db: float = 0.0,
        progress: Callable[[int, int], None] | None = None,
        **settings: Unpack[Settings],
    ) -> SeparatedFile:
        """Separate a file of any length into files, in memory that does not grow with it.

        The samples are those that `separate` returns for the whole recording.

        Parameters
        ----------
        path
            Any file that libsndfile reads, of one or two channels.
        output_folder
            Gets a file for each stem, ``kick.wav`` for instance; made if it does not exist. Files of these
            names are replaced, but not the recording or the model.
        stems, residual, progress
            As for `separate`.
        file_format
            ``float`` (WAV), which keeps what exceeds full scale; ``wav24``, ``wav16`` or ``flac`` (24 bits),
            which clip it, as the result tells.
        gain_db
            Gain of all stems alike, so that they still sum to the recording, at that gain.
        **settings
            As for `separate`.

        Returns
        -------
        SeparatedFile
            The files, their length and levels, and warnings.

        Raises
        ------
        AudioFileError
            If the file is missing, damaged, empty or not finite or has more than two channels, or if a stem
            cannot be written; no stem is written then.
        ParameterError, MissingDependencyError
            As for `separate`.

        Examples
        --------
        >>> separator.separate_file("loop.wav", "stems").outputs["kick"]  # doctest: +SKIP
        PosixPath('stems/kick.wav')
        """
        names, options, gain = self.names(stems, residual=residual), Options(**settings), check_gain(gain_db)
        self.check(options)
        source, folder = FileSource(Path(path)), Path(output_folder)
        targets = {name: folder / file for name, file in file_names(names, file_format).items()}
        folder.mkdir(parents=True, exist_ok=True)
        for target in targets.values():
            check_output(target, inputs=[path, self.path])
        written = write_stems(
            self.stretches(source, names, options, progress),
            targets,
            sample_rate=source.sample_rate,
            channels=source.channels,
            kind=file_format,
            gain=gain,
            expected_samples=source.n_samples,
        )
        return SeparatedFile(
            outputs=targets,
            sample_rate=source.sample_rate,
            n_samples=written.n_samples,
            peaks_db=written.peaks_db,
            clipped=written.clipped,
            warnings=tuple(text for text in (source.missing, written.warning) if text is not None),
        )

    def names(self, stems: Sequence[str] | None, *, residual: bool) -> list[str]:
        """Return the names of what a separation gives, in this order.

        Raises
        ------
        ParameterError
            If there is no such stem, or none at all.
        """
        if residual and RESIDUAL in self.stems:
            raise ParameterError("this network has a stem called residual; ask for it among the stems")
        wanted = list(self.stems if stems is None else stems)
        unknown = [name for name in wanted if name not in self.stems]
        if unknown or not wanted:
            raise ParameterError(f"stems is {wanted}, but must name some of {', '.join(self.stems)}")
        return [*dict.fromkeys(wanted), *([RESIDUAL] if residual else [])]

    def check(self, options: Options, *, load: bool = False) -> None:
        """Refuse options that this network cannot have, before any recording is read.

        Parameters
        ----------
        options
            How recordings will be separated.
        load
            Whether to load the weights too, which shows that they can be.

        Raises
        ------
        ParameterError, MissingDependencyError, ModelFileError
            If there is such an option, or the weights cannot be loaded.
        """
        self._network.check(options)
        if load:
            self._network.open(options)

    def stretches(
        self,
        source: Source,
        names: Sequence[str],
        options: Options,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Stems]:
        """Separate a recording of any length in memory that does not grow.

        Parameters
        ----------
        source
            The recording.
        names
            What to give, as `names` returns it.
        options
            How.
        progress
            As for `separate`.

        Yields
        ------
        ndarray
            Consecutive stretches ``(n_names, channels, n)``.
        """
        self.check(options)
        network = self._network
        return separated(
            source,
            network.stretches(source, options, progress),
            sample_rate=network.sample_rate,
            channels=network.channels,
            wanted=[network.stems.index(name) for name in names if name in network.stems],
            residual=RESIDUAL in names and RESIDUAL not in network.stems,
        )
