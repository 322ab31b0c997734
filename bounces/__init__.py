"""What comes back: bounces, feedback reports and automatic replies, and what they mean for an address."""
