"""What the demo needs besides the product: a mail server that keeps what it gets."""
