"""Runs the service alone."""

from services.indicators.app import build_app
from services.indicators.settings import IndicatorsSettings
from shared.service.main import main

if __name__ == "__main__":
    main(build_app, IndicatorsSettings)
