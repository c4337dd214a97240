"""Korean news from the first HTTP request to a benchmark score."""

__version__ = "0.1.0"
