FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/var/lib/campaign

RUN useradd --system --uid 10001 --home-dir /var/lib/campaign --create-home campaign
WORKDIR /srv/campaign

COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt

COPY . .
# The addresses are never opened: collecting static files needs neither service.
RUN DATABASE_URL=postgresql://none@localhost/none REDIS_URL=redis://localhost/0 SECRET_KEY=none \
    python manage.py collectstatic --noinput

USER campaign
EXPOSE 8000
CMD ["gunicorn", "campaign.wsgi", "--bind", "0.0.0.0:8000", "--workers", "4", "--access-logfile", "-"]
