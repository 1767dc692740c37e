"""What an alert says, where it goes, and when to try again: pure and without a clock."""
