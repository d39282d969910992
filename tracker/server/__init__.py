"""The embedded server: daphne with limits that it does not have itself, a Celery worker and a beat."""
