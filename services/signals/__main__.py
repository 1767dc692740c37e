"""Runs the service alone."""

from services.signals.app import build_app
from services.signals.settings import SignalsSettings
from shared.service.main import main

if __name__ == "__main__":
    main(build_app, SignalsSettings)
