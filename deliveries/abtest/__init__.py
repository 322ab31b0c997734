"""What an A/B test has found out: figures of its variants, and how sure one can be of them."""
