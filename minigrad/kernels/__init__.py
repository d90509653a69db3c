"""Compiled loops over NumPy arrays: arrays in, arrays out; nothing here knows a tensor."""
