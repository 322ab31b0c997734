"""What authors may write in a content, and its limits. PURE: no models, no clock, no network."""
