"""What all report pages share: the look, a table of facts, files within the page, and writing it whole."""

import base64
import html
import os
from collections.abc import Mapping

from neurdsp._output import atomic_output

__all__ = ["NO_PICTURES", "embedded", "fact_table", "write_page"]

#: Stands where the pictures would be.
NO_PICTURES = "<p>No pictures: matplotlib is not installed; pip install 'neurdsp[plot]'.</p>"

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#22303c}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse}
td{padding:.15rem 1.2rem .15rem 0;vertical-align:top;overflow-wrap:anywhere}td:first-child{color:#667480}
img{max-width:100%}figure{margin:.4rem 0;display:flex;gap:1rem;align-items:center}figcaption{width:6rem}
svg{max-width:100%;height:auto}
"""


def embedded(data: bytes, kind: str) -> str:
    """Return the address of data that lies within the page.

    Parameters
    ----------
    data
        Content of a file.
    kind
        Its media type, such as ``image/png``.

    Examples
    --------
    >>> embedded(b"neurdsp", "text/plain")
    'data:text/plain;base64,bmV1cmRzcA=='
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def fact_table(facts: Mapping[str, str]) -> str:
    """Return a table of names and values; both are text, not HTML.

    Examples
    --------
    >>> fact_table({"ESR": "< 0.01"})
    '<table><tr><td>ESR</td><td>&lt; 0.01</td></tr></table>'
    """
    escape = html.escape
    rows = (f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts.items())
    return f"<table>{''.join(rows)}</table>"


def write_page(path: str | os.PathLike[str], *, title: str, body: str, style: str = "") -> None:
    """Write an HTML file that needs no other file.

    Parameters
    ----------
    path
        The HTML file; it is written whole or not at all.
    title
        Text of the window's title, and of the heading.
    body
        HTML below the heading.
    style
        CSS beside that of all reports.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    name = html.escape(title)
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{name}</title><style>{_STYLE}{style}</style></head>"
    )
    with atomic_output(path) as temporary:
        temporary.write_text(f"{head}<body><h1>{name}</h1>{body}</body></html>\n", encoding="utf-8")
