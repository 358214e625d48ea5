"""Five small music networks: emotion, melody, harmony, dynamics and groove.

They run without torch. Names are imported on first use.
"""

from typing import TYPE_CHECKING

from neurdsp.dependencies import lazy_names

if TYPE_CHECKING:
    from neurdsp.music.groove.humanise import Feel
    from neurdsp.music.infer import MusicPipeline
    from neurdsp.music.network import MusicNetwork
    from neurdsp.music.worker import MusicWorker, WorkerReport

__all__ = ["Feel", "MusicNetwork", "MusicPipeline", "MusicWorker", "WorkerReport"]

_HOMES = {
    "Feel": "groove.humanise",
    "MusicNetwork": "network",
    "MusicPipeline": "infer",
    "MusicWorker": "worker",
    "WorkerReport": "worker",
}

__getattr__ = lazy_names(__name__, _HOMES, needs="numpy", extra="train", purpose="music")
