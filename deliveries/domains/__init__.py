"""What a sender's domain publishes in the DNS: DKIM, SPF, DMARC and MX."""
