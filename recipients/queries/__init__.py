"""Saved queries: conditions on recipients, read from JSON, checked, and compiled to SQL."""
