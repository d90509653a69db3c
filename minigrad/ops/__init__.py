"""Primitives by family, over tensors or plain arrays; each is stated once, with its derivative."""
