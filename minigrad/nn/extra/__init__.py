"""Losses that torch lacks: each a function, whose body is its definition, and a module."""
