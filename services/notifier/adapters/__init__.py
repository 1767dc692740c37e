"""The outside: channels that reach people, and the sender that drives them."""
