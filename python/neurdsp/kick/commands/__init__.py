"""The subcommands of ``neurdsp kick``."""
