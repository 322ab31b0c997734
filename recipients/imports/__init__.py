"""Recipients from a CSV file: detect its form, map its columns, check every line, copy into the database."""
