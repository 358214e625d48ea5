"""Judge a model: figures, aliasing, comparisons by stretch of the recording, plots and the report."""
