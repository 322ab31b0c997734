"""The way in: a form for each service that has one, and the page behind the link in the mail."""
