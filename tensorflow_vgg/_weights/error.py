"""What is raised for a weight file that cannot be used."""

__all__ = ["WeightsError"]


class WeightsError(ValueError):
    """A weight file or dict that cannot be used. The message names file, layer, expected and found."""
