"""Types of the Rust core, written by hand and checked by stubtest."""

__version__: str
