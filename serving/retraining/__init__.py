"""One term's retraining: refuse on bad records or open alarms, train a challenger, and show a person what would change."""
