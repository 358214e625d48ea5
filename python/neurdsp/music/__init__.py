"""Five small music networks: emotion, melody, harmony, dynamics and groove.

They run without torch. Names are imported on first use.
"""
