"""A simulated market, for demonstrations; every price of it says ``demo`` as its source."""
