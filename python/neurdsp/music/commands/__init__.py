"""The subcommands of ``neurdsp music``."""
