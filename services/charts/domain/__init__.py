"""What is recent in the market and how it is shown; pure."""
