"""The Django project: settings, addresses, queue and the services it starts by itself."""
