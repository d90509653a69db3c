"""torch.accelerator's questions, answered: there is none."""


def is_available() -> bool:
    """False."""
    return False


def current_accelerator() -> None:
    """None."""
