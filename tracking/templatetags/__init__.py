"""Tags of the tracking app."""
