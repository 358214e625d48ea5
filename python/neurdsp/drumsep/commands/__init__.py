"""The subcommands of ``neurdsp drumsep``."""
