"""Speed, measured: `python -m benchmarks` times minigrad against torch eager in interleaved rounds."""
