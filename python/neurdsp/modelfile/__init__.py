"""Model files that prove themselves: reading, writing, verifying and converting them, without torch."""

from neurdsp.modelfile.conversion import Conversion, convert
from neurdsp.modelfile.files import (
    FORMAT_VERSION,
    ModelFile,
    VerifyResult,
    build_metadata,
    read,
    verify,
    write,
)
from neurdsp.modelfile.information import ModelInfo, info

__all__ = [
    "FORMAT_VERSION",
    "Conversion",
    "ModelFile",
    "ModelInfo",
    "VerifyResult",
    "build_metadata",
    "convert",
    "info",
    "read",
    "verify",
    "write",
]
