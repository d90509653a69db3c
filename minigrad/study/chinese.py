"""The Chinese of explanations, by their English sentences."""

CHINESE: dict[str, str] = {}
