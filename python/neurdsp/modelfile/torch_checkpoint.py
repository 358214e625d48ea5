"""Tensors out of PyTorch checkpoints, without torch and without running what a pickle says.

A checkpoint is a zip archive: a pickle that describes objects, and a file of raw numbers for each storage. A
pickle is a program, and the usual reader runs it. This one interprets only the opcodes that build plain data.
It knows five constructors: of an ordered dict, and of tensors and parameters rebuilt from a storage. Whatever
else the pickle names becomes an `Opaque` object that is never imported or called.

Format: `torch.serialization` of PyTorch, and `pickletools` of Python.
"""

import math
import mmap
import os
import pickletools
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurdsp.errors import ModelFileError

__all__ = ["Opaque", "read_torch_checkpoint"]

MAX_PICKLE_BYTES = 1 << 26
MAX_OBJECTS = 1 << 21
MAX_DEPTH = 64

FloatTensor: TypeAlias = NDArray[np.float32 | np.float16]

# Storage class -> type of a number. bfloat16 has none in numpy: it is widened.
_STORAGES = {
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bf16",
    "DoubleStorage": "<f8",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "u1",
}
_LEGACY_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


@dataclass(frozen=True)
class Opaque:
    """Something in a pickle that is no plain data; it is carried along, and never imported or called.

    Attributes
    ----------
    name
        Module and name, such as ``pytorch_lightning.utilities.parsing.AttributeDict``.
    """

    name: str


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass(frozen=True)
class _Storage:
    dtype: str
    key: str
    n_values: int


class _MalformedError(Exception):
    """Why the pickle is not one of a checkpoint; the reader adds the path."""


def read_torch_checkpoint(path: str | os.PathLike[str]) -> Any:
    """Read a checkpoint that ``torch.save`` has written, of PyTorch 1.6 and newer.

    Parameters
    ----------
    path
        The file, such as a ``.ckpt``, ``.pt`` or ``.pth``.

    Returns
    -------
    object
        What was saved: mostly a dict by name. Tensors are arrays, read-only views of the file; bfloat16 is
        widened to float32. What is no plain data is an `Opaque`.

    Raises
    ------
    ModelFileError
        If the file is no such checkpoint, is damaged, or exceeds a limit.

    Examples
    --------
    >>> read_torch_checkpoint("drumsep.ckpt")["first_conv.weight"].shape  # doctest: +SKIP
    (128, 16, 1, 1)
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(512)
            if not head.startswith(b"PK\x03\x04"):
                _refuse(path, _no_archive(head, size))
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            entries = _entries(file)
    except _MalformedError as error:
        _refuse(path, str(error))
    except OSError as error:
        raise ModelFileError(f"cannot read '{path}': {error.strerror or error}") from None
    try:
        return _Archive(content, entries).load()
    except _MalformedError as error:
        _refuse(path, str(error))


def _refuse(path: Path, reason: str) -> NoReturn:
    # Names in a damaged file may hold anything.
    shown = "".join(letter if letter.isprintable() else "?" for letter in reason)
    raise ModelFileError(f"cannot read '{path}' as a PyTorch checkpoint: {shown}")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(".") or "no reason given"


def _no_archive(head: bytes, size: int) -> str:
    text = head.lstrip().lower()
    if size == 0:
        return "it is empty; download it again"
    if not head.strip(b"\0"):
        return "it begins with zeros, so a download was broken off; download it again"
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "it is a web page, not the file; open the address in a browser and download the file itself"
    if head.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS; fetch the file itself with 'git lfs pull'"
    if head[2:].startswith(_LEGACY_MAGIC) or head.startswith(b"\x80"):
        return "it is in the format before PyTorch 1.6; load it with torch and save it again"
    if head[8:9] == b"{":
        return "it is a safetensors file; give it the suffix .safetensors"
    return "it is no archive that torch.save writes; give the original .ckpt, .pt or .pth file"


def _entries(file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    """Read the table of contents of a zip archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {entry.filename: entry for entry in archive.infolist()}
    except (
        zipfile.BadZipFile,
        ValueError,
        LookupError,
        ArithmeticError,
        struct.error,
        NotImplementedError,
    ) as error:
        raise _MalformedError(f"the archive is damaged ({_first_line(error)}); download it again") from None


class _Archive:
    """The zip archive of a checkpoint: its pickle, and its storages as views."""

    def __init__(self, content: memoryview, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._content, self._entries = content, entries
        pickles = [name for name in self._entries if name.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1:
            raise _MalformedError(
                "the archive has no data.pkl, so torch.save did not write it"
                if not pickles
                else "the archive has several data.pkl"
            )
        self._pickle = pickles[0]
        self._root = self._pickle[: -len("data.pkl")]
        self._arrays: dict[tuple[str, str], NDArray[Any]] = {}

    def load(self) -> Any:
        order = self._entries.get(f"{self._root}byteorder")
        if order is not None and bytes(self._bytes(order)).strip() not in (b"little", b""):
            raise _MalformedError("its numbers are big-endian; load it with torch on a PC and save it again")
        entry = self._entries[self._pickle]
        if entry.file_size > MAX_PICKLE_BYTES:
            raise _MalformedError(
                f"its description has {entry.file_size} bytes; at most {MAX_PICKLE_BYTES} fit"
            )
        return _Machine(bytes(self._bytes(entry)), self.storage).run()

    def _bytes(self, entry: zipfile.ZipInfo) -> memoryview:
        """Return the bytes of an entry, which is stored and not compressed, without a copy."""
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise _MalformedError(f"'{entry.filename}' is compressed, which torch.save never does")
        start = entry.header_offset
        header = bytes(self._content[start : start + 30])
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise _MalformedError(f"the entry '{entry.filename}' is damaged; download the file again")
        skipped = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        start += 30 + skipped
        found = self._content[start : start + entry.file_size]
        if len(found) < entry.file_size:
            raise _MalformedError(f"'{entry.filename}' is cut short; download the file again")
        return found

    def storage(self, storage: _Storage) -> NDArray[Any]:
        """Return the numbers of a storage."""
        known = self._arrays.get((storage.key, storage.dtype))
        if known is not None:
            return known
        name = f"{self._root}data/{storage.key}"
        if name not in self._entries:
            raise _MalformedError(f"'{name}' is missing in the archive; download the file again")
        raw = self._bytes(self._entries[name])
        kind = np.dtype("<u2" if storage.dtype == "bf16" else storage.dtype)
        if len(raw) < storage.n_values * kind.itemsize:
            raise _MalformedError(
                f"'{name}' has {len(raw)} bytes, but its description promises {storage.n_values} values of "
                f"{kind.itemsize} bytes"
            )
        values: NDArray[Any] = np.frombuffer(raw, kind, storage.n_values)
        if storage.dtype == "bf16":
            values = (values.astype("<u4") << 16).view("<f4")
        values.flags.writeable = False
        self._arrays[storage.key, storage.dtype] = values
        return values


_MARK = object()


class _Machine:
    """Interprets the opcodes of a pickle that build plain data."""

    def __init__(self, pickle: bytes, storage: Callable[[_Storage], NDArray[Any]]) -> None:
        self._pickle, self._storage = pickle, storage
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the object that the pickle describes."""
        for count, (name, argument) in enumerate(self._operations()):
            if count == MAX_OBJECTS:
                raise _MalformedError(f"its description has more than {MAX_OBJECTS} steps")
            if name == "STOP":
                return self._pop()
            action = _ACTIONS.get(name)
            if action is None:
                raise _MalformedError(f"its description uses the step {name}, which no checkpoint needs")
            action(self, argument)
        raise _MalformedError("its description has no end")  # pragma: no cover - genops finds it first

    def _operations(self) -> Iterator[tuple[str, Any]]:
        try:
            for opcode, argument, _ in pickletools.genops(self._pickle):
                yield opcode.name, argument
        except (ValueError, LookupError, ArithmeticError, MemoryError, struct.error) as error:
            raise _MalformedError(f"its description is damaged ({_first_line(error)})") from None

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise _MalformedError("its description takes more than it has made")
        return self._stack.pop()

    def _top(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise _MalformedError("its description takes more than it has made")
        return self._stack[-1]

    def _to_mark(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _MARK:
                items = self._stack[index + 1 :]
                del self._stack[index:]
                return items
        raise _MalformedError("its description ends a group that it has not begun")

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def empty_list(self, _: Any) -> None:
        self.push([])

    def empty_dict(self, _: Any) -> None:
        self.push({})

    def fixed_tuple(self, length: int) -> None:
        items = [self._pop() for _ in range(length)]
        self.push(tuple(reversed(items)))

    def marked_tuple(self, _: Any) -> None:
        self.push(tuple(self._to_mark()))

    def append(self, _: Any) -> None:
        self._extend([self._pop()])

    def appends(self, _: Any) -> None:
        self._extend(self._to_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self._top()
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Opaque):
            raise _MalformedError("its description appends to something that is no list")

    def set_item(self, _: Any) -> None:
        value, key = self._pop(), self._pop()
        self._update([key, value])

    def set_items(self, _: Any) -> None:
        self._update(self._to_mark())

    def _update(self, items: list[Any]) -> None:
        target = self._top()
        if isinstance(target, Opaque):
            return
        if not isinstance(target, dict) or len(items) % 2:
            raise _MalformedError("its description sets a key of something that is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | float | bool | bytes | tuple | None):
                continue  # an optimiser may have objects as keys; no weight has
            try:
                target[key] = value
            except TypeError:
                continue

    def put(self, index: int) -> None:
        self._memo[index] = self._top()

    def memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._top()

    def get(self, index: int) -> None:
        if index not in self._memo:
            raise _MalformedError("its description recalls what it has not stored")
        self.push(self._memo[index])

    def name_global(self, argument: str) -> None:
        self.push(_Global(".".join(str(argument).split(" ", 1))))

    def stack_global(self, _: Any) -> None:
        name, module = self._pop(), self._pop()
        self.push(_Global(f"{module}.{name}"))

    def persistent(self, _: Any) -> None:
        found = self._pop()
        match found:
            case ("storage", _Global(name=name), str(key), _, int(n_values)) if n_values >= 0:
                self.push(_Storage(_storage_type(name), key, n_values))
            case _:
                raise _MalformedError("it refers to something else than a storage")

    def reduce(self, _: Any) -> None:
        arguments, called = self._pop(), self._pop()
        if not isinstance(called, _Global):
            self.push(called if isinstance(called, Opaque) else Opaque("unknown"))
            return
        self.push(self._call(called.name, arguments))

    def _call(self, name: str, arguments: Any) -> Any:
        if name == "collections.OrderedDict":
            return {}
        if name == "torch._utils._rebuild_tensor_v2" or name == "torch._utils._rebuild_tensor":
            match arguments:
                case (_Storage() as storage, int(offset), tuple(shape), tuple(strides), *_):
                    return self._tensor(storage, offset, shape, strides)
            raise _MalformedError("it describes a tensor in a way that is not known")
        if name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"):
            if isinstance(arguments, tuple) and arguments and isinstance(arguments[0], np.ndarray):
                return arguments[0]
            raise _MalformedError("it describes a parameter in a way that is not known")
        return Opaque(name)

    def build(self, _: Any) -> None:
        self._pop()  # the state of an object: of an ordered dict the version numbers of its modules
        self._top()

    def new_object(self, _: Any) -> None:
        self._pop()
        called = self._pop()
        self.push(Opaque(called.name if isinstance(called, _Global) else "unknown"))

    def new_object_with_keywords(self, _: Any) -> None:
        self._pop()
        self.new_object(None)

    def _tensor(
        self, storage: _Storage, offset: int, shape: tuple[Any, ...], strides: tuple[Any, ...]
    ) -> NDArray[Any]:
        values = self._storage(storage)
        numbers = (offset, *shape, *strides)
        if len(shape) != len(strides) or len(shape) > MAX_DEPTH:
            raise _MalformedError("a tensor has as many strides as axes, but one here has not")
        if not all(type(number) is int and 0 <= number < 1 << 48 for number in numbers):
            raise _MalformedError("the shape of a tensor is no list of sizes")
        n_values = math.prod(shape)
        last = offset + sum(
            (length - 1) * stride for length, stride in zip(shape, strides, strict=True) if length
        )
        if n_values and last >= len(values):
            raise _MalformedError(f"a tensor of shape {list(shape)} reaches beyond its storage")
        if n_values == 0:
            return values[:0].reshape(shape)
        return np.lib.stride_tricks.as_strided(
            values[offset:], shape, [stride * values.itemsize for stride in strides], writeable=False
        )


def _storage_type(name: str) -> str:
    kind = _STORAGES.get(name.rpartition(".")[2])
    if kind is None or not name.startswith("torch."):
        raise _MalformedError(
            f"it has numbers of the type {name.rpartition('.')[2][:40]}, which is not known"
        )
    return kind


def _constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(value)


def _ignore(machine: _Machine, argument: Any) -> None:
    pass


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _ignore,
    "FRAME": _ignore,
    "MARK": _constant(_MARK),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    **dict.fromkeys(
        ("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT"), _Machine.push
    ),
    **dict.fromkeys(
        (
            "BINUNICODE",
            "SHORT_BINUNICODE",
            "BINUNICODE8",
            "UNICODE",
            "BINSTRING",
            "SHORT_BINSTRING",
            "STRING",
        ),
        _Machine.push,
    ),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _Machine.push),
    "EMPTY_LIST": _Machine.empty_list,
    "EMPTY_SET": lambda machine, _: machine.push(Opaque("builtins.set")),
    "EMPTY_DICT": _Machine.empty_dict,
    "EMPTY_TUPLE": _constant(()),
    "TUPLE": _Machine.marked_tuple,
    "TUPLE1": lambda machine, _: machine.fixed_tuple(1),
    "TUPLE2": lambda machine, _: machine.fixed_tuple(2),
    "TUPLE3": lambda machine, _: machine.fixed_tuple(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "ADDITEMS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "POP": lambda machine, _: machine._pop(),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.name_global,
    "STACK_GLOBAL": _Machine.stack_global,
    "BINPERSID": _Machine.persistent,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "NEWOBJ": _Machine.new_object,
    "NEWOBJ_EX": _Machine.new_object_with_keywords,
}
