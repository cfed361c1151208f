"""The room ``serving`` of onroll."""
