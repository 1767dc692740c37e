"""Runs the notifier alone: ``python -m services.notifier``."""

from services.notifier.app import build_app
from services.notifier.settings import NotifierSettings
from shared.service.main import main

if __name__ == "__main__":
    main(build_app, NotifierSettings)
