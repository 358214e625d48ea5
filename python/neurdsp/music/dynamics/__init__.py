"""Dynamics: how loud each step of a part is, given its mood."""
