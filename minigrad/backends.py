"""torch.backends' switches: none is there, and setting them changes nothing."""


class Backend:
    """A library of torch's that minigrad does not use."""

    deterministic, benchmark, enabled, allow_tf32 = False, False, True, False

    def is_available(self) -> bool:
        """False."""
        return False


cudnn, cuda, mps, mkldnn = Backend(), Backend(), Backend(), Backend()
