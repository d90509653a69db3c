"""torch.cuda's questions, answered as by a torch without CUDA: minigrad computes on the CPU."""


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there is no other stream to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no other stream to seed."""
