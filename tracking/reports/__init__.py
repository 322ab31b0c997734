"""Reports: what the figures look like to people."""
