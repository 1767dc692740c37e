"""The notifier: decides which signal becomes an alert on which channel, and delivers it.

In comes `signal_generated`; out go `alert_intent` (the decision, made by the stage `notifier`) and
`alert_fired` (the receipt, written by `sender` after the outside world has answered). It owns the
routes, the channels and what still waits to be delivered.
"""
