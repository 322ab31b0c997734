"""What strangers' servers answer to the analysis: web pages and images that a content leads to, and spam filters."""
