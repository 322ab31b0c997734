"""From what an author wrote to the bytes of a message. PURE: no models, no clock, no network, no chance."""
