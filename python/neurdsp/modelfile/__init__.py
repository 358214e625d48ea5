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
from neurdsp.modelfile.parity import build_parity, parity_error_db

__all__ = [
    "FORMAT_VERSION",
    "Conversion",
    "ModelFile",
    "ModelInfo",
    "VerifyResult",
    "build_metadata",
    "build_parity",
    "convert",
    "info",
    "parity_error_db",
    "read",
    "verify",
    "write",
]
