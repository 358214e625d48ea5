"""Capture a device: the test signal, checks of its recordings, LV2 plugins, sweeps of their knobs."""
