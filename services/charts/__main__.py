"""Runs charts alone."""

from services.charts.app import build_app
from services.charts.settings import ChartsSettings
from shared.service.main import main

if __name__ == "__main__":
    main(build_app, ChartsSettings)
