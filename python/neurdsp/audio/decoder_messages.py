"""Messages that a decoder writes to standard error, without saying of which file."""

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator

__all__ = ["decoder_messages"]

# How libmpg123 writes.
_OF_DECODER = re.compile(r"\s*(Note|Warning|error|\[[^\]]*libmpg123[^\]]*\][^:]*)\s*:?\s*(?P<text>.+)")

_lock = threading.Lock()


@contextlib.contextmanager
def decoder_messages(messages: list[str]) -> Iterator[None]:
    """Collect what a decoder writes to the standard error output while the block runs.

    The output belongs to the whole process: blocks run one at a time, so only files known to be damaged are
    decoded in one. What others write meanwhile is passed on.

    Parameters
    ----------
    messages
        Gets each message once.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_lock)
        try:
            kept = os.dup(2)
        except OSError:  # no such output
            yield
            return
        stack.callback(os.close, kept)
        file = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            file.seek(0)
            for line in file.read().splitlines(keepends=True):
                found = _OF_DECODER.match(line.decode(errors="replace").strip())
                if found is None:
                    if line.strip():
                        os.write(2, line)
                elif found["text"] not in messages and "fuzzy seeking" not in found["text"]:
                    messages.append(found["text"])
