"""The commands of ``neurdsp amp``, a module for each group."""
