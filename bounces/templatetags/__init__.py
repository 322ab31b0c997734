"""Tags of the bounces app."""
