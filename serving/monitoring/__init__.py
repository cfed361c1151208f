"""What lists promised beside what came, and the alarms."""
