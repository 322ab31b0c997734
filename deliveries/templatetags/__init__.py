"""Template tags and filters of the deliveries pages."""
