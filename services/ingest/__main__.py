"""Runs the service alone."""

from services.ingest.app import build_app
from services.ingest.settings import IngestSettings
from shared.service.main import main

if __name__ == "__main__":
    main(build_app, IngestSettings)
